//! What random cases have found once, as small cases of their own.

use crate::common::Bench;

const PEOPLE: &str = "table = \"people\"\nidentity = [\"name\"]\n\
                      [[criterion]]\nname = \"left\"\nwhere = \"gone = 1\"\n";

/// Everybody who has left, erased in one batch; then how the rulings read, and the rows of these queries.
async fn erased(bench: &Bench, queries: &[&str]) -> (Vec<String>, Vec<Vec<String>>) {
    let (_, journal) = bench.erase_due("person").await;
    bench.assert_sound().await;
    let mut found = Vec::new();
    for query in queries {
        found.push(bench.rows(query).await);
    }
    (journal.rulings(), found)
}

/// `TRUE` in a statement of ours meant this column, so that nobody seemed to share anything.
#[tokio::test]
async fn a_column_called_true_does_not_hide_who_shares_an_address() {
    let bench = Bench::with_sql(
        "CREATE TABLE addresses (id INTEGER PRIMARY KEY, street TEXT);
         CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, gone INTEGER, address REFERENCES addresses);
         CREATE TABLE guests (id INTEGER PRIMARY KEY, \"true\" TEXT NOT NULL, address REFERENCES addresses);
         INSERT INTO addresses VALUES (1, 'shared'), (2, 'own');
         INSERT INTO people VALUES (1, 'Ada', 1, 1), (2, 'Bob', 1, 2);
         INSERT INTO guests VALUES (1, 'no', 1);",
    )
    .await;
    let dependent = "[erase]\nkeep = [\"gone\", \"address\"]\nanonymise = { name = \"null\" }\n\
                     [[dependent]]\ntable = \"addresses\"\nparent_column = \"address\"\nrule = \"delete\"\n";
    bench.category("person", &format!("{PEOPLE}{dependent}"));
    let (rulings, found) = erased(&bench, &["SELECT * FROM addresses"]).await;
    assert_eq!(found, [["1|'shared'"]]);
    assert_eq!(
        rulings,
        ["1 deleted [addresses: 0 deleted, 0 changed, 1 left]", "2 deleted [addresses: 1 deleted, 0 changed, 0 left]"]
    );
}

/// The same for a column that a criterion's condition is looked at beside.
#[tokio::test]
async fn a_column_called_true_does_not_decide_what_is_due() {
    let bench = Bench::with_sql(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, gone INTEGER, \"true\" INTEGER);
         INSERT INTO people VALUES (1, 'Ada', 1, 0), (2, 'Bob', 0, 0), (3, 'Cid', NULL, NULL);",
    )
    .await;
    let erase = "[erase]\nkeep = [\"gone\", \"true\"]\nanonymise = { name = \"null\" }\n";
    bench.category("person", &format!("{PEOPLE}{erase}"));
    let (rulings, _) = erased(&bench, &[]).await;
    assert_eq!(rulings, ["1 deleted []"]);
}

/// Rows of the batch that were laid out later counted as somebody else.
#[tokio::test]
async fn what_hangs_on_an_owned_row_does_not_share_it() {
    let bench = Bench::with_sql(
        "CREATE TABLE addresses (id INTEGER PRIMARY KEY, street TEXT);
         CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, gone INTEGER, home REFERENCES addresses,
                              work REFERENCES addresses);
         CREATE TABLE keys (id INTEGER PRIMARY KEY, address REFERENCES addresses);
         INSERT INTO addresses VALUES (1, 'home and work');
         INSERT INTO people VALUES (1, 'Ada', 1, 1, 1);
         INSERT INTO keys VALUES (7, 1);",
    )
    .await;
    let dependents = "[erase]\nkeep = [\"gone\"]\nanonymise = { name = \"null\" }\n\
        [[dependent]]\nname = \"home\"\ntable = \"addresses\"\nparent_column = \"home\"\nrule = \"delete\"\n\
        [[dependent]]\nname = \"work\"\ntable = \"addresses\"\nparent_column = \"work\"\nrule = \"delete\"\n\
        [[dependent]]\nparent = \"home\"\ntable = \"keys\"\ncolumn = \"address\"\nrule = \"delete\"\n";
    bench.category("person", &format!("{PEOPLE}{dependents}"));
    let (rulings, found) = erased(&bench, &["SELECT * FROM addresses", "SELECT * FROM keys"]).await;
    assert_eq!(found, [[""; 0]; 2]);
    assert_eq!(rulings, ["1 deleted [home: 1 deleted, 0 changed, 0 left; keys: 1 deleted, 0 changed, 0 left]"]);
}

/// Two owners of one row took turns in finding that somebody else shares it, without end.
#[tokio::test]
async fn a_row_that_is_owned_twice_and_shared_is_left() {
    let bench = Bench::with_sql(
        "CREATE TABLE addresses (id INTEGER PRIMARY KEY, street TEXT);
         CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, gone INTEGER, home REFERENCES addresses,
                              work REFERENCES addresses);
         CREATE TABLE guests (id INTEGER PRIMARY KEY, address REFERENCES addresses);
         INSERT INTO addresses VALUES (1, 'of a guest too');
         INSERT INTO people VALUES (1, 'Ada', 1, 1, 1);
         INSERT INTO guests VALUES (7, 1);",
    )
    .await;
    let dependents = "[erase]\nkeep = [\"gone\"]\nanonymise = { name = \"null\" }\n\
        [[dependent]]\nname = \"home\"\ntable = \"addresses\"\nparent_column = \"home\"\nrule = \"delete\"\n\
        [[dependent]]\nname = \"work\"\ntable = \"addresses\"\nparent_column = \"work\"\nrule = \"delete\"\n";
    bench.category("person", &format!("{PEOPLE}{dependents}"));
    let (rulings, found) = erased(&bench, &["SELECT * FROM addresses"]).await;
    assert_eq!(found, [["1|'of a guest too'"]]);
    assert_eq!(rulings, ["1 deleted [home: 0 deleted, 0 changed, 1 left; work: 0 deleted, 0 changed, 1 left]"]);
}

const OFFICES: &str = "CREATE TABLE offices (id INTEGER PRIMARY KEY, street TEXT);
    CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, gone INTEGER, chief REFERENCES people,
                         office REFERENCES offices);
    INSERT INTO offices VALUES (1, 'of two'), (2, 'of one');
    INSERT INTO people VALUES (1, 'Ada', 1, NULL, 1), (2, 'Bob', 0, 1, 1), (3, 'Cid', 1, NULL, 2);";

/// A colleague whose reference is set to NULL remains somebody else.
#[tokio::test]
async fn a_row_that_is_unlinked_goes_on_sharing() {
    for (rule, left) in [("delete", "1|'of two'"), ("keep", "1|'of two' 2|NULL")] {
        let bench = Bench::with_sql(OFFICES).await;
        let columns = if rule == "keep" { "anonymise = { street = \"null\" }\n" } else { "" };
        let dependents = format!(
            "[erase]\nkeep = [\"gone\", \"chief\"]\nanonymise = {{ name = \"null\" }}\n\
             [[dependent]]\nname = \"reports\"\ntable = \"people\"\ncolumn = \"chief\"\nrule = \"unlink\"\n\
             [[dependent]]\ntable = \"offices\"\nparent_column = \"office\"\nrule = \"{rule}\"\n{columns}"
        );
        bench.category("person", &format!("{PEOPLE}{dependents}"));
        let (rulings, found) = erased(&bench, &["SELECT * FROM offices", "SELECT * FROM people"]).await;
        assert_eq!(found[0].join(" "), left, "{rulings:?}");
        assert_eq!(found[1], ["2|'Bob'|0|NULL|1"]);
    }
}

/// A record of another category keeps the one it refers to; what both refer to is not the erased person's alone.
#[tokio::test]
async fn a_record_of_another_category_goes_on_sharing() {
    let bench = Bench::with_sql(
        "CREATE TABLE flats (id INTEGER PRIMARY KEY, street TEXT);
         CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, gone INTEGER, flat REFERENCES flats);
         CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT, person REFERENCES people, flat REFERENCES flats);
         INSERT INTO flats VALUES (1, 'of both');
         INSERT INTO people VALUES (1, 'Ada', 1, 1);
         INSERT INTO members VALUES (1, 'Ada', 1, 1);",
    )
    .await;
    bench.category(
        "member",
        "table = \"members\"\nidentity = [\"name\"]\n[[criterion]]\nname = \"never\"\nwhere = \"0\"\n",
    );
    let dependents = "[erase]\nkeep = [\"gone\"]\nanonymise = { name = \"null\" }\n\
        [[dependent]]\ntable = \"members\"\ncolumn = \"person\"\nrule = \"keep\"\n\
        [[dependent]]\ntable = \"flats\"\nparent_column = \"flat\"\nrule = \"keep\"\nanonymise = { street = \"null\" }\n";
    bench.category("person", &format!("{PEOPLE}{dependents}"));
    let (rulings, found) = erased(&bench, &["SELECT * FROM flats", "SELECT * FROM people"]).await;
    assert_eq!(found, [["1|'of both'"], ["1|NULL|1|1"]]);
    assert_eq!(rulings, ["1 anonymised [members: 0 deleted, 0 changed, 1 left; flats: 0 deleted, 0 changed, 1 left]"]);
}

/// The trail said that the order had been left as it was.
#[tokio::test]
async fn a_kept_row_whose_reference_is_cut_counts_as_changed() {
    let bench = Bench::with_sql(
        "CREATE TABLE addresses (id INTEGER PRIMARY KEY, street TEXT);
         CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, gone INTEGER);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, person REFERENCES people, address REFERENCES addresses);
         INSERT INTO addresses VALUES (1, 'x');
         INSERT INTO people VALUES (1, 'Ada', 1);
         INSERT INTO orders VALUES (1, 1, 1), (2, 1, NULL);",
    )
    .await;
    let dependents = "[erase]\nkeep = [\"gone\"]\nanonymise = { name = \"null\" }\n\
        [[dependent]]\ntable = \"orders\"\ncolumn = \"person\"\nrule = \"keep\"\n\
        [[dependent]]\nparent = \"orders\"\ntable = \"addresses\"\nparent_column = \"address\"\nrule = \"delete\"\n";
    bench.category("person", &format!("{PEOPLE}{dependents}"));
    let (rulings, found) = erased(&bench, &["SELECT * FROM orders"]).await;
    assert_eq!(found, [["1|1|NULL", "2|1|NULL"]]);
    assert_eq!(
        rulings,
        ["1 anonymised [orders: 0 deleted, 1 changed, 1 left; addresses: 1 deleted, 0 changed, 0 left]"]
    );
}
