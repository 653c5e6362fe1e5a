//! Values that a page's border cuts.

use erasured::proof::{Layer, Region};

use super::app::{App, PERSON, found, regions};

/// A text of which no stretch is like another.
fn long(number: u32, words: u32) -> String {
    (0..words).map(|word| format!("word{number}of{word};")).collect()
}

#[tokio::test]
async fn a_value_cut_by_borders_is_found_alive_and_dead() {
    for page in [512, 1024, 4096] {
        for words in [20, 60, 400, 2_000] {
            let text = long(words, words);
            let mut app = App::new(&format!("PRAGMA page_size = {page}; {PERSON} CREATE TABLE other (x);")).await;
            app.sql(&format!("INSERT INTO person VALUES (1, 'x', '{text}'), (2, 'y', 'short');")).await;
            let report = app.prove(&[&text]).await;
            assert_eq!((found(&report), report.values.unwrap().in_use), (0, 1), "{page} {words}");
            app.sql("DELETE FROM person WHERE id = 1;").await;
            let report = app.prove(&[&text]).await;
            assert_eq!((found(&report), report.is_clean()), (1, false), "{page} {words}");
        }
    }
}

#[tokio::test]
async fn a_short_value_at_a_border_is_found() {
    let value = "Kirchengasse 12/3, Graz";
    for before in 430..500 {
        let mut app = App::new(&format!("PRAGMA page_size = 512; {PERSON}")).await;
        let text = format!("{}{value}{}", "-".repeat(before), "-".repeat(600));
        app.sql(&format!("INSERT INTO person VALUES (1, 'x', '{text}'), (2, 'y', 'short');")).await;
        let report = app.prove(&[value]).await;
        assert_eq!((found(&report), report.values.unwrap().in_use), (0, 1), "alive, behind {before}");
        app.sql("DELETE FROM person WHERE id = 1;").await;
        assert_eq!(found(&app.prove(&[value]).await), 1, "dead, behind {before}");
    }
}

#[tokio::test]
async fn what_lies_behind_the_end_of_a_long_value_is_found() {
    let mut app = App::new(&format!("PRAGMA page_size = 512; {PERSON}")).await;
    let text = long(1, 200);
    app.sql(&format!("INSERT INTO person VALUES (1, 'x', '{text}');")).await;
    app.sql(&format!("UPDATE person SET note = '{}';", "-".repeat(700))).await;
    let report = app.prove(&[&text]).await;
    assert!(found(&report) == 1 && !report.is_clean());
    let places = regions(&report, Layer::Database);
    assert!(places.iter().any(|(region, _)| matches!(region, Region::FreePages | Region::OverflowTails)), "{places:?}");
}
