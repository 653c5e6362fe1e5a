//! Why something is held or postponed: what stands where.

use super::*;

const REASONS: &str = "[reasons.hold]\nlawsuit = { en = \"a lawsuit is pending\", de = \"ein Verfahren läuft\" }\n
    [reasons.postpone]\nfree_text = false\nguarantee = \"the guarantee has not run out\"\n";

#[tokio::test]
async fn what_is_typed_lies_beside_the_chain_and_standard_reasons_stand_in_it_by_name() {
    let office = Office::prepared(REASONS).await;
    office.hold("1", "File of Maier").await.unwrap();
    let standard = office.desk.reason_of(ReasonKind::Hold, "1").unwrap();
    office.desk.hold(&vera(Permission::Hold), "r", &record("2"), &standard, "A 2").await.unwrap();
    let held = office.held().await;
    let reason = |place: usize| {
        let of = &held[place].hold.reason;
        (of.standard.as_deref(), of.text.as_deref())
    };
    assert_eq!(reason(0), (None, Some("the heirs of Maier have asked")));
    assert_eq!(reason(1), (Some("lawsuit"), Some("a lawsuit is pending")));
    let chain: String =
        office.store.audit_after(0, 1_000).await.unwrap().iter().map(erasured::audit::Entry::to_line).collect();
    assert!(!chain.contains("Maier") && !chain.contains("A 2"), "{chain}");
    assert!(chain.contains("\"reason\":\"lawsuit\""), "{chain}");
    // Both texts have a digest of their own, which holds.
    let set = office.store.audit_after(0, 1_000).await.unwrap().into_iter().find(|entry| entry.kind == "hold_set");
    let set = set.unwrap();
    for (field, member) in [("reason", "reason_digest"), ("reference", "reference_digest")] {
        let typed = office.store.typed_texts(set.seq).await.unwrap().remove(field).unwrap();
        let digest = erasured::audit::text_digest(&typed.salt, &typed.text);
        assert!(set.details.contains(&format!("\"{member}\":\"{digest}\"")), "{}", set.details);
    }
    assert_eq!(
        office.told("2").await.last().unwrap(),
        "hold_set: 1 record held, by hold 2: a lawsuit is pending (A 2)"
    );
    // What the settings no longer know is told by its name.
    office.set("");
    assert_eq!(office.held().await[1].hold.reason.text.as_deref(), Some("lawsuit"));
}

#[tokio::test]
async fn a_postponement_has_one_too() {
    let office = Office::prepared(REASONS).await;
    assert!(office.desk.reason_of(ReasonKind::Postpone, "because").is_err());
    let reason = office.desk.reason_of(ReasonKind::Postpone, "guarantee").unwrap();
    let wish = Wish::Postpone { until: "2027-06-30".parse().unwrap(), reason };
    let target = Target { record: record("1"), version: None };
    office.desk.decide(&vera(Permission::Decide), "r", wish, &[target]).await.unwrap();
    let card = office.desk.show(&vera(Permission::View), &record("1")).await.unwrap();
    assert_eq!(card.item.reason.as_deref(), Some("the guarantee has not run out"));
    let erasured::desk::EventKind::Postponed { reason, .. } = &card.history[0].what else { panic!("not postponed") };
    assert_eq!(
        (reason.standard.as_deref(), reason.text.as_deref()),
        (Some("guarantee"), Some("the guarantee has not run out"))
    );
    assert_eq!(
        office.told("1").await.last().unwrap(),
        "postponed: 1 record postponed until 2027-06-30: the guarantee has not run out"
    );
}

#[tokio::test]
async fn and_so_has_a_mark() {
    let office = Office::with("[reasons.erase]\nobjection = \"the person has objected\"\n").await;
    let reason = office.desk.reason_of(ReasonKind::Erase, "objection").unwrap();
    office.desk.mark(&vera(Permission::Mark), "r", &record("4"), &reason).await.unwrap();
    let card = office.desk.show(&vera(Permission::View), &record("4")).await.unwrap();
    let erasured::desk::EventKind::Marked { reason } = &card.history[0].what else { panic!("not marked") };
    assert_eq!(reason.text.as_deref(), Some("the person has objected"));
    assert!(office.told("4").await[0].ends_with(": the person has objected"), "{:?}", office.told("4").await);
    // A mark can be held as well as any other proposal.
    office.confirm(&["4"]).await;
    office.hold("4", "A 1").await.unwrap();
    assert_eq!(office.run(JobKind::Erase).await.held, 1);
}
