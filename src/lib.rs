pub mod actor;
pub mod clock;
pub mod config;
pub mod record;
pub mod source;
