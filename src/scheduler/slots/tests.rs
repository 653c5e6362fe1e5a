use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// Runs a heartbeat a minute from `from` to `to`, and gives the slots that came due, in the zone's wall time.
fn live(expression: &str, name: &str, from: &str, to: &str) -> Vec<String> {
    let (cron, zone) = (expression.parse().unwrap(), zone(name));
    let (mut now, mut last) = (at(from), Some(at(from)));
    let mut ran = Vec::new();
    while now <= at(to) {
        if let Some(slot) = due_slot(&cron, &zone, last, now, true) {
            assert!(!slot.is_late);
            assert_eq!(slot.at, now, "a slot runs in the minute it falls in");
            ran.push(slot.at.to_zoned(zone.clone()).strftime("%a %d %H:%M%:z").to_string());
            last = Some(slot.at);
        }
        now += 1.minute();
    }
    ran
}

#[test]
fn an_hour_that_is_skipped_runs_once_right_after_it() {
    let spring = |expression| live(expression, "Europe/Vienna", "2027-03-27T12:00:00Z", "2027-03-29T12:00:00Z");
    assert_eq!(spring("30 2 * * *"), ["Sun 28 03:00+02:00", "Mon 29 02:30+02:00"]);
    assert_eq!(spring("0 18 * * *"), ["Sat 27 18:00+01:00", "Sun 28 18:00+02:00"]);
    // Several times within the gap, or one that falls on its end, are one run.
    assert_eq!(spring("0,20,40 2 28 * *"), ["Sun 28 03:00+02:00"]);
    assert_eq!(spring("0 2,3 28 * *"), ["Sun 28 03:00+02:00"]);
    assert_eq!(
        spring("30 1-4 28 * *"),
        ["Sun 28 01:30+01:00", "Sun 28 03:00+02:00", "Sun 28 03:30+02:00", "Sun 28 04:30+02:00"]
    );
}

#[test]
fn an_hour_that_comes_twice_runs_once() {
    let autumn = |expression| live(expression, "Europe/Vienna", "2027-10-30T12:00:00Z", "2027-11-01T12:00:00Z");
    assert_eq!(autumn("30 2 * * *"), ["Sun 31 02:30+02:00", "Mon 01 02:30+01:00"]);
    assert_eq!(autumn("0 3 * * *"), ["Sun 31 03:00+01:00", "Mon 01 03:00+01:00"]);
    assert_eq!(autumn("0 18 * * *"), ["Sat 30 18:00+02:00", "Sun 31 18:00+01:00"]);
    assert_eq!(autumn("*/30 2 31 * *"), ["Sun 31 02:00+02:00", "Sun 31 02:30+02:00"]);
}

#[test]
fn other_zones_change_by_other_rules() {
    let spring = live("30 2 * * *", "America/New_York", "2027-03-13T12:00:00Z", "2027-03-15T12:00:00Z");
    assert_eq!(spring, ["Sun 14 03:00-04:00", "Mon 15 02:30-04:00"]);
    let autumn = live("30 1 * * *", "America/New_York", "2027-11-06T12:00:00Z", "2027-11-08T12:00:00Z");
    assert_eq!(autumn, ["Sun 07 01:30-04:00", "Mon 08 01:30-05:00"]);
    // Lord Howe moves by half an hour: 2:00 to 2:30 in October, 2:00 back to 1:30 in April.
    let spring = live("15 2 * * *", "Australia/Lord_Howe", "2027-10-02T06:00:00Z", "2027-10-04T06:00:00Z");
    assert_eq!(spring, ["Sun 03 02:30+11:00", "Mon 04 02:15+11:00"]);
    let autumn = live("45 1 * * *", "Australia/Lord_Howe", "2027-04-03T06:00:00Z", "2027-04-05T06:00:00Z");
    assert_eq!(autumn, ["Sun 04 01:45+11:00", "Mon 05 01:45+10:30"]);
    // Cairo skips midnight itself.
    let spring = live("0 0 * * *", "Africa/Cairo", "2027-04-29T06:00:00Z", "2027-05-01T06:00:00Z");
    assert_eq!(spring, ["Fri 30 01:00+03:00", "Sat 01 00:00+03:00"]);
}

#[test]
fn an_outage_of_three_days_is_caught_up_on_once() {
    let (cron, zone) = ("0 18 * * *".parse().unwrap(), zone("Europe/Vienna"));
    let last = Some(at("2027-03-26T17:00:00Z"));
    let now = at("2027-03-30T07:12:34Z");
    let due = due_slot(&cron, &zone, last, now, true).unwrap();
    assert_eq!(due, Slot { at: at("2027-03-29T16:00:00Z"), is_late: true });
    assert_eq!(due_slot(&cron, &zone, Some(due.at), now, true), None);
    assert_eq!(next_slot(&cron, &zone, Some(due.at), now), Some(at("2027-03-30T16:00:00Z")));
}

#[test]
fn without_catching_up_a_missed_slot_is_gone_and_the_next_one_runs() {
    let (cron, zone) = ("0 18 * * *".parse().unwrap(), zone("Europe/Vienna"));
    let last = Some(at("2027-03-26T17:00:00Z"));
    assert_eq!(due_slot(&cron, &zone, last, at("2027-03-30T07:12:34Z"), false), None);
    let on_time = due_slot(&cron, &zone, last, at("2027-03-30T16:04:59.9Z"), false).unwrap();
    assert_eq!(on_time, Slot { at: at("2027-03-30T16:00:00Z"), is_late: false });
    assert_eq!(due_slot(&cron, &zone, last, at("2027-03-30T16:05:01Z"), false), None);
}

#[test]
fn a_weekly_job_runs_weekly() {
    let ran = live("0 4 * * Sun", "Europe/Vienna", "2027-03-20T00:00:00Z", "2027-04-05T00:00:00Z");
    assert_eq!(ran, ["Sun 21 04:00+01:00", "Sun 28 04:00+02:00", "Sun 04 04:00+02:00"]);
}

#[test]
fn day_of_month_and_day_of_week_are_ored() {
    let ran = live("0 4 1 * Mon", "Europe/Vienna", "2027-03-28T12:00:00Z", "2027-04-06T00:00:00Z");
    assert_eq!(ran, ["Mon 29 04:00+02:00", "Thu 01 04:00+02:00", "Mon 05 04:00+02:00"]);
}

#[test]
fn a_leap_day_comes_in_leap_years() {
    let (cron, zone) = ("0 4 29 2 *".parse().unwrap(), zone("Europe/Vienna"));
    assert_eq!(next_slot(&cron, &zone, None, at("2026-01-01T00:00:00Z")), Some(at("2028-02-29T03:00:00Z")));
    assert_eq!(next_slot(&cron, &zone, None, at("2097-01-01T00:00:00Z")), Some(at("2104-02-29T03:00:00Z")));
    let due = due_slot(&cron, &zone, Some(at("2024-03-01T00:00:00Z")), at("2031-01-01T00:00:00Z"), true).unwrap();
    assert_eq!(due.at, at("2028-02-29T03:00:00Z"));
}

#[test]
fn a_clock_that_goes_back_runs_nothing_again() {
    let (cron, zone) = ("0 18 * * *".parse().unwrap(), zone("Europe/Vienna"));
    let last = Some(at("2027-06-10T16:00:00Z"));
    for now in ["2027-06-10T16:00:30Z", "2027-06-10T15:59:00Z", "2027-06-09T16:00:00Z", "1970-01-01T00:00:10Z"] {
        assert_eq!(due_slot(&cron, &zone, last, at(now), true), None, "{now}");
        assert_eq!(next_slot(&cron, &zone, last, at(now)), Some(at("2027-06-11T16:00:00Z")), "{now}");
    }
}

#[test]
fn before_the_first_slot_nothing_is_due() {
    let cron = "* * * * *".parse().unwrap();
    assert_eq!(due_slot(&cron, &TimeZone::UTC, None, at("2027-06-10T16:00:30Z"), true), None);
}

const ZONES: [&str; 6] =
    ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/St_Johns", "Asia/Kathmandu"];

const EXPRESSIONS: [&str; 9] = [
    "30 2 * * *",
    "*/7 * * * *",
    "0 0 * * *",
    "0,15,30 1-3 * * *",
    "0 4 * * Sun",
    "* * * * *",
    "59 23 31 * *",
    "45 1 1,15 3-11 *",
    "0 3 29 2 Mon",
];

proptest! {
    /// Looking ahead and looking back agree: between two neighbouring slots it is always the first that came last.
    #[test]
    fn ahead_and_back_agree(
        zone_at in 0..ZONES.len(), expression in 0..EXPRESSIONS.len(), seconds in 1_700_000_000i64..1_860_000_000,
    ) {
        let (cron, zone) = (EXPRESSIONS[expression].parse::<Cron>().unwrap(), zone(ZONES[zone_at]));
        let now = Timestamp::from_second(seconds).unwrap();
        let next = next_slot(&cron, &zone, None, now).unwrap();
        prop_assert!(next > now);
        let latest = latest_slot(&cron, &zone, now).unwrap();
        prop_assert!(latest <= now);
        prop_assert_eq!(next_slot(&cron, &zone, None, latest), Some(next));
        prop_assert_eq!(latest_slot(&cron, &zone, next - 1.second()), Some(latest));
        prop_assert_eq!(latest_slot(&cron, &zone, next), Some(next));
    }

    /// Around every change of the clocks, minute by minute.
    #[test]
    fn nothing_is_lost_around_a_change(zone_at in 0..ZONES.len(), expression in 0..EXPRESSIONS.len(), year in 2024i16..2029) {
        let (cron, zone) = (EXPRESSIONS[expression].parse::<Cron>().unwrap(), zone(ZONES[zone_at]));
        let start = jiff::civil::date(year, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
        let changes: Vec<Timestamp> = zone.following(start).take(2).map(|change| change.timestamp()).collect();
        for change in changes {
            let mut now = change - 3.hours();
            let mut latest = latest_slot(&cron, &zone, now).unwrap();
            while now < change + 3.hours() {
                let expected = next_slot(&cron, &zone, None, now).unwrap();
                now += 1.minute();
                let after = latest_slot(&cron, &zone, now).unwrap();
                if expected <= now {
                    prop_assert_eq!(after, expected);
                } else {
                    prop_assert_eq!(after, latest);
                }
                latest = after;
            }
        }
    }
}
