//! Which category goes first where records of several are erased together.

use erasured::erasure::in_order;

use crate::common::Bench;

/// The order of these categories, each a name, its table, which of its columns stay, and what refers to it.
async fn ordered(sql: &str, categories: &[(&str, &str, &str, (&str, &str))]) -> Vec<String> {
    let bench = Bench::with_sql(sql).await;
    for (name, table, keep, (from, column)) in categories {
        bench.category(
            name,
            &format!(
                "table = \"{table}\"\nlabel = \"{{name}}\"\n[[criterion]]\nname = \"old\"\nwhere = \"name = 'Huber'\"\n
                 [erase]\nkeep = [{keep}]\n[erase.anonymise]\nname = \"null\"\n
                 [[dependent]]\ntable = \"{from}\"\ncolumn = \"{column}\"\nrule = \"keep\"\n"
            ),
        );
    }
    let mut mappings = Vec::new();
    for (name, ..) in categories {
        mappings.push(bench.mapping(name).await);
    }
    in_order(&mappings).into_iter().map(|mapping| mapping.category.to_string()).collect()
}

#[tokio::test]
async fn whose_rows_refer_to_another_category_goes_before_it() {
    let sql = "CREATE TABLE firms (id INTEGER PRIMARY KEY, name TEXT);
               CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, firm INTEGER REFERENCES firms,
                                    boss INTEGER REFERENCES people);";
    let firms = ("firm", "firms", "", ("people", "firm"));
    // That people refer to people is in nobody's way.
    let people = ("people", "people", "\"firm\"", ("people", "boss"));
    assert_eq!(ordered(sql, &[firms, people]).await, ["people", "firm"]);
}

#[tokio::test]
async fn in_a_circle_the_first_by_name_goes_first() {
    let sql = "CREATE TABLE firms (id INTEGER PRIMARY KEY, name TEXT, owner INTEGER REFERENCES people);
               CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, firm INTEGER REFERENCES firms);";
    let (people, firms) =
        (("people", "people", "\"firm\"", ("firms", "owner")), ("firm", "firms", "\"owner\"", ("people", "firm")));
    assert_eq!(ordered(sql, &[people, firms]).await, ["firm", "people"]);
}
