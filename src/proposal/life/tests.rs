use std::fmt::Write as _;

use jiff::civil::date;

use super::*;
use crate::proposal::Parted;

const TODAY: Date = date(2026, 3, 15);
const VERA: UserId = UserId(1);
const MINE: BatchId = BatchId([0xaa; 16]);
const OTHER: BatchId = BatchId([0xbb; 16]);

fn states() -> Vec<State> {
    vec![
        State::Proposed { returned: None, first: None },
        State::Proposed { returned: None, first: Some(VERA) },
        State::Proposed { returned: Some(ReturnReason::ChangedPerson), first: None },
        State::Confirmed,
        State::Postponed { until: date(2026, 3, 15) },
        State::Postponed { until: date(2026, 3, 16) },
        State::Erasing { batch: MINE },
        State::Erased { outcome: Outcome::Deleted },
        State::Erased { outcome: Outcome::Anonymised },
        State::Withdrawn { reason: WithdrawReason::Gone },
    ]
}

fn moves() -> Vec<(&'static str, Move)> {
    let reason = Reason::new("a dispute is open").unwrap();
    vec![
        ("confirm", Move::Confirm { by: VERA, needs_two: false }),
        ("first or second of two", Move::Confirm { by: VERA, needs_two: true }),
        ("the other of two", Move::Confirm { by: UserId(2), needs_two: true }),
        ("postpone to tomorrow", Move::Postpone { until: date(2026, 3, 16), reason: reason.clone() }),
        ("postpone to today", Move::Postpone { until: TODAY, reason }),
        ("restore", Move::Restore),
        ("take the mark back", Move::TakeBack),
        ("withdraw", Move::Withdraw(WithdrawReason::NoLongerDue { why: "an order of 2026-02-01".into() })),
        ("end of postponement", Move::EndPostponement),
        ("send back", Move::SendBack(ReturnReason::OtherCriterion)),
        ("claim", Move::Claim(MINE)),
        ("roll back its batch", Move::RollBack(MINE)),
        ("roll back another batch", Move::RollBack(OTHER)),
        ("erased with its batch", Move::Erase { batch: MINE, outcome: Outcome::Deleted }),
        ("erased with another batch", Move::Erase { batch: OTHER, outcome: Outcome::Deleted }),
    ]
}

/// Every state times every move, with what comes of it. A change of this table is a change of the product.
#[test]
fn the_table_of_moves() {
    let mut table = String::new();
    for state in states() {
        let life = Life::from_stored(state.clone(), 1).unwrap();
        let returned = if matches!(state, State::Proposed { returned: Some(_), .. }) { " (returned)" } else { "" };
        let _ = writeln!(table, "{state}{returned}");
        for (name, step) in moves() {
            let line = match life.after(&step, TODAY) {
                Ok(next) => format!("-> {:?}, postponed {} times", next.state(), next.postponed_count()),
                Err(error) => format!("refused: {error}; {}", error.hint()),
            };
            let _ = writeln!(table, "  {name}: {line}");
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_life_that_cannot_be_is_not_read_back() {
    let postponed = State::Postponed { until: TODAY };
    assert!(Life::from_stored(postponed.clone(), 0).is_none());
    assert!(Life::from_stored(postponed, 1).is_some());
}

fn return_reasons() -> Vec<ReturnReason> {
    vec![
        ReturnReason::ChangedPerson,
        ReturnReason::OtherCriterion,
        ReturnReason::OtherRuleVersion,
        ReturnReason::Retained { why: "it stays until 2031-12-31: invoices".into() },
        ReturnReason::NeedsSecond,
        ReturnReason::NeedsPerson,
        ReturnReason::BatchFailed { error: "1811: orders may not be touched".into() },
        ReturnReason::Together(Parted::Restored),
        ReturnReason::Together(Parted::Postponed),
        ReturnReason::Together(Parted::Withdrawn),
        ReturnReason::Together(Parted::Returned),
    ]
}

fn withdraw_reasons() -> Vec<WithdrawReason> {
    vec![
        WithdrawReason::NoLongerDue { why: "paid".into() },
        WithdrawReason::Gone,
        WithdrawReason::AnotherPerson,
        WithdrawReason::TakenBack,
        WithdrawReason::KeptAgain,
        WithdrawReason::InUse,
    ]
}

#[test]
fn reasons_are_read_back_as_they_were_stored() {
    for reason in return_reasons() {
        assert_eq!(ReturnReason::from_stored(reason.code(), reason.detail()), Some(reason));
    }
    for reason in withdraw_reasons() {
        assert_eq!(WithdrawReason::from_stored(reason.code(), reason.detail()), Some(reason));
    }
    assert_eq!(WithdrawReason::from_stored("gone", Some("why?")), None);
}

/// The words are in state files and trails; the sentences are what people read.
#[test]
fn reasons_have_words_and_sentences() {
    let line = |code: &str, detail: Option<&str>, said: String| format!("{code} {}: {said}", detail.unwrap_or("-"));
    let returned = return_reasons().into_iter().map(|reason| line(reason.code(), reason.detail(), reason.to_string()));
    let withdrawn =
        withdraw_reasons().into_iter().map(|reason| line(reason.code(), reason.detail(), reason.to_string()));
    insta::assert_snapshot!(returned.chain(withdrawn).collect::<Vec<_>>().join("\n"));
}
