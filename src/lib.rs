pub mod actor;
pub mod audit;
pub mod clock;
pub mod config;
pub mod erasure;
pub mod proposal;
pub mod record;
pub mod source;
