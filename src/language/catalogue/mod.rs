//! The catalogue: each sentence as it stands in the source, places included, and its German.
//!
//! The German may have the places in another order, by their names; one without a name goes by its number, counted from 0. A
//! place that is named as [`template`](super::template) knows it takes nothing but a number, a date, a name or a record. It
//! speaks to nobody: what somebody should do stands in the infinitive. Verbs and options stay as they are typed.

mod access;
mod brake;
mod client;
mod decisions;
mod faults;
mod gate;
mod help;
mod holds;
mod linked;
mod lists;
mod own_files;
mod proof;
mod removal;
mod rules;
mod service;
mod trail;
mod watching;

type Part = &'static [(&'static str, &'static str)];

/// Every part.
pub(super) const ALL: &[Part] = &[
    access::TEXTS,
    brake::TEXTS,
    client::TEXTS,
    decisions::TEXTS,
    faults::TEXTS,
    gate::TEXTS,
    help::TEXTS,
    holds::TEXTS,
    linked::TEXTS,
    lists::TEXTS,
    own_files::TEXTS,
    proof::TEXTS,
    removal::TEXTS,
    rules::TEXTS,
    service::TEXTS,
    trail::TEXTS,
    watching::TEXTS,
];
