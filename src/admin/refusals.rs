//! Which refusals are reported: one for each peer and minute, so that a loop of requests cannot flood the trail.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::actor::Permission;
use crate::api::Code;
use crate::clock::Stopwatch;

/// For so long after a reported refusal, further ones of the same peer are only counted.
const QUIET: Duration = Duration::from_secs(60);

/// A peer was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The user id that the kernel gave.
    pub uid: u32,
    /// Login name, or the number where the machine knows no name.
    pub user: String,
    /// What they asked for, as the route table writes it: `POST /v1/confirm`.
    pub route: String,
    /// The permission that it needs.
    pub permission: Permission,
    /// The code that they were answered with.
    pub code: Code,
    /// How many refusals of this peer were only counted since the last that was reported.
    pub unreported: u64,
}

/// What is remembered of one peer.
#[derive(Debug, Clone, Copy)]
struct Peer {
    reported_at: Duration,
    unreported: u64,
}

/// Remembers who was refused lately.
#[derive(Debug)]
pub(super) struct Refusals {
    since: Stopwatch,
    peers: Mutex<HashMap<u32, Peer>>,
}

impl Refusals {
    pub(super) fn new() -> Self {
        Self { since: Stopwatch::start(), peers: Mutex::default() }
    }

    /// Whether a refusal of `uid` is to be reported now: with the number of those that were not.
    pub(super) fn admit(&self, uid: u32) -> Option<u64> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        admit(&mut peers, uid, self.since.elapsed())
    }
}

fn admit(peers: &mut HashMap<u32, Peer>, uid: u32, now: Duration) -> Option<u64> {
    // Peers without anything left to tell are forgotten, so that the map does not grow.
    peers.retain(|known, peer| *known == uid || peer.unreported > 0 || now < peer.reported_at + QUIET);
    match peers.get_mut(&uid) {
        Some(peer) if now < peer.reported_at + QUIET => {
            peer.unreported += 1;
            None
        }
        known => {
            let unreported = known.map_or(0, |peer| peer.unreported);
            peers.insert(uid, Peer { reported_at: now, unreported: 0 });
            Some(unreported)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_for_each_peer_and_minute() {
        let mut peers = HashMap::new();
        let mut at = |uid, seconds| admit(&mut peers, uid, Duration::from_secs(seconds));
        assert_eq!(at(7, 0), Some(0));
        assert_eq!(at(7, 1), None);
        assert_eq!(at(8, 2), Some(0));
        assert_eq!(at(7, 59), None);
        assert_eq!(at(7, 60), Some(2));
        assert_eq!(at(8, 200), Some(0));
        assert_eq!(peers.len(), 1, "the other peer has nothing left to tell");
    }
}
