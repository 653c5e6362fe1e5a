//! The client: see [`erasured::ctl`].

use std::process::ExitCode;

fn main() -> ExitCode {
    erasured::ctl::main()
}
