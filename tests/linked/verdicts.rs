//! What is said of linked records before anything is decided.

use crate::office::{Office, leave};

#[tokio::test]
async fn one_verdict_over_all_in_any_direction() {
    let office = Office::open().await;
    let mut said = String::new();
    // By a column of its own, by a column of the other's, through a table between the two, over sources.
    for record in ["prospect/1", "user/7", "customer/50", "prospect/2", "customer/51", "prospect/3", "prospect/4"] {
        said += &format!("{record}\n{}\n", office.verdict(&leave(&[]), record).await);
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn what_one_may_not_see_is_another_record() {
    let office = Office::open().await;
    let mut said = office.verdict(&leave(&["prospect"]), "prospect/2").await;
    said += &office.verdict(&leave(&["prospect", "user"]), "prospect/1").await;
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_link_that_ties_too_many_decides_nothing() {
    let office = Office::open().await;
    let many = "WITH RECURSIVE n (i) AS (VALUES (100) UNION ALL SELECT i + 1 FROM n WHERE i < 160)
                INSERT INTO members SELECT 'N-' || i, 'Maier', '2019-01-01', 1 FROM n;";
    office.bench.sql(many).await;
    let said = office.verdict(&leave(&[]), "prospect/1").await;
    assert_eq!(said, "=> more than 50 records are linked: nothing can be said of them together\n");
    assert!(office.confirm("prospect/1", &["person/1"]).await.is_err());
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_said_to_block() {
    let office = Office::open().await;
    std::fs::write(office.bench.dir.path().join("shop.db"), "no database").unwrap();
    let said = office.verdict(&leave(&[]), "person/1").await;
    assert!(said.contains("a link cannot be followed: customer"), "{said}");
    assert!(office.confirm_all_linked("person/1").await.is_err());
    // What is known to be linked can be confirmed with it all the same.
    office.confirm("person/1", &["prospect/1"]).await.unwrap();
}
