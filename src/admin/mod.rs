//! The socket that people and programs talk to the daemon through.
//!
//! A peer is who the kernel says it is ([`peer`]); one table says which verb on which path needs which permission
//! ([`routes`]); a handler gets its [`Call`] only after that permission was granted, and does no more than turn words of
//! the socket into words of the house and back. Errors become HTTP here and nowhere else ([`problem`]). May be relied
//! on: what is in no row of the table is refused, every refusal is answered with a code and reported, and there is a
//! limit on everything a peer can hold. Never decides anything itself, and never listens on a network.

mod access;
mod audit;
mod backend;
mod brake;
mod confirm;
mod decide;
mod dispatch;
mod exposition;
mod hold;
mod holds;
mod house;
mod list;
mod listener;
mod mark;
mod metrics;
mod openapi;
mod peer;
mod policy;
mod postpone;
pub mod problem;
mod reasons;
mod refusals;
mod release;
mod restore;
mod routes;
mod run;
mod runs;
mod schema;
mod server;
mod show;
mod status;

pub use backend::RuleWish;
pub use backend::{Backend, Lines, Page, Release, Reply, RequestId, Selection, Set, Target, TrailSelection, With};
pub use dispatch::{Answer, Call};
pub use house::House;
pub use listener::{BindError, Listener};
pub use openapi::document;
pub use peer::{PeerError, WhoIs, WhoIsNamed, identity_named, identity_of};
pub use refusals::Refusal;
pub use routes::{Route, Verb, routes};
pub use server::{SHUTDOWN_LIMIT, Server};
