//! Shells: rows that were anonymised before, and that are deleted once nothing keeps them any more.

use erasured::erasure::{Claim, persons as whoever};
use erasured::proposal::{Origin, ProposalId};
use erasured::record::RecordKey;

use super::{PERSON, persons};
use crate::common::{Bench, key};

/// A claim on a row as what is left of somebody.
async fn shell(bench: &Bench, id: i64) -> Claim {
    let mapping = bench.mapping("person").await;
    let mut reader = bench.source(&bench.settings()).reader().await.unwrap();
    let record = RecordKey::from_text(&id.to_string());
    let found = whoever(&mut reader, &mapping, &bench.day(), &key(), std::slice::from_ref(&record)).await.unwrap();
    reader.close().await;
    let fingerprint = found.into_iter().next().flatten().unwrap();
    Claim {
        proposal: ProposalId(100 + id),
        key: record,
        origin: Origin::Shell,
        lacks: None,
        unwanted: None,
        fingerprint,
    }
}

#[tokio::test]
async fn one_that_something_refers_to_again_is_left_and_nobody_beside_it() {
    let bench = persons(
        &format!(
            "{PERSON} CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person);
             INSERT INTO person VALUES (1, NULL, NULL), (2, NULL, NULL), (3, 'Huber', '2019-01-01'), (4, 'Maier', '2019-01-01');
             INSERT INTO note VALUES (1, 1), (3, 3);"
        ),
        "[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\n",
    )
    .await;
    let mut claims = vec![shell(&bench, 1).await, shell(&bench, 2).await];
    claims.extend(bench.due("person").await);
    let (report, journal) = bench.erase("person", claims).await;
    assert_eq!(
        journal.rulings(),
        [
            "2 deleted []",
            "3 anonymised [note: 0 deleted, 0 changed, 1 left]",
            "4 deleted []",
            "1 withdrawn: something keeps its row again",
        ]
    );
    assert_eq!((report.deleted, report.anonymised, report.shells, report.withdrawn), (2, 1, 1, 1));
    assert_eq!(bench.rows("SELECT id FROM person").await, ["1", "3"]);
}
