//! The daemon's side of the contract with systemd.
//!
//! Readiness and state ([`Notifier`]), sockets that were opened for us ([`adopted_sockets`]), secrets that were placed for
//! us ([`credential`]). May be relied on: where systemd did not start us, everything here does nothing and succeeds.
//! Never changes the environment, and never waits.

mod credentials;
mod notify;
mod sockets;

pub use credentials::{CredentialError, credential};
pub use notify::Notifier;
pub use sockets::{SocketError, adopted_sockets};
