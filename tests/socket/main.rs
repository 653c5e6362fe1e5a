//! The socket and the client, over a real Unix socket: who may do what, what is too much, and what people read.
//!
//! Behind the socket stands a backend that knows a handful of records by heart, so that each test is about the way there
//! and back.

#[cfg(test)]
mod backend;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod silence;
#[cfg(test)]
mod transcripts;
