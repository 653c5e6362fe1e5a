//! The daemon and the commands that go with it.

use std::process::ExitCode;

use erasured::daemon::{self, Transcript};

fn main() -> ExitCode {
    daemon::main(std::env::args_os(), |arguments| {
        Box::pin(async {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let exit = erasured::ctl::run(arguments, &mut out, &mut err).await;
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            Transcript { stdout: text(out), stderr: text(err), code: exit as u8 }
        })
    })
}
