//! What `check` says of links.

use crate::office::bench;

#[tokio::test]
async fn links_that_lead_nowhere_are_refused() {
    let mut said = String::new();
    for (name, link) in [
        ("no such column", "category = \"person\"\ncolumn = \"persn_id\""),
        (
            "no such table",
            "category = \"person\"\nthrough = \"acounts\"\ncolumn = \"user_id\"\ntheir_column = \"person_id\"",
        ),
        ("another type", "category = \"member\"\ncolumn = \"person_id\""),
        ("too many columns", "category = \"person\"\ncolumns = [\"person_id\", \"last_name\"]"),
        ("the other's column", "category = \"user\"\ntheir_column = \"prospect_id\""),
        ("no index", "category = \"customer\"\ncolumn = \"seen_on\""),
    ] {
        let bench = bench().await;
        let path = bench.dir.path().join("categories/prospect.toml");
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{before}\n[[linked]]\n{link}\n")).unwrap();
        said += &format!("{name}\n{}{}\n", bench.findings("prospect").await, bench.findings("user").await);
    }
    insta::assert_snapshot!(said);
}
