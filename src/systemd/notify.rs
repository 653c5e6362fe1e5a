//! Telling the service manager how the daemon is.

use std::io;
use std::time::Duration;

use sd_notify::NotifyState;

/// Tells the service manager how the daemon is. Without `NOTIFY_SOCKET` every message goes nowhere.
///
/// A message that cannot be sent is logged and otherwise ignored: a daemon that erases on time matters more than one
/// whose service manager knows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notifier;

impl Notifier {
    /// Whether anybody listens.
    #[must_use]
    pub fn is_heard(self) -> bool {
        std::env::var_os("NOTIFY_SOCKET").is_some()
    }

    /// Everything is up: the daemon takes requests and its schedule runs. Also ends a reload.
    pub fn ready(self) {
        send(&[NotifyState::Ready]);
    }

    /// The settings are being read again. To be followed by [`ready`](Self::ready), whether they were taken or not.
    pub fn reloading(self) {
        // Both words go in one datagram: with `Type=notify-reload` the manager takes RELOADING for a reload that
        // it has asked for only when the same message says when it began.
        match NotifyState::monotonic_usec_now() {
            Ok(began) => send(&[NotifyState::Reloading, began]),
            Err(error) => report(&error),
        }
    }

    /// The daemon has begun to stop.
    pub fn stopping(self) {
        send(&[NotifyState::Stopping]);
    }

    /// One line for `systemctl status`. Names no person.
    pub fn status(self, line: &str) {
        // A line break would begin another assignment of the protocol.
        let line = line.replace(['\n', '\r'], " ");
        send(&[NotifyState::Status(&line)]);
    }

    /// The daemon is alive.
    pub fn watchdog(self) {
        send(&[NotifyState::Watchdog]);
    }

    /// How often to say so: half the time after which the manager gives the daemon up, as sd_watchdog_enabled(3)
    /// advises. `None` where nobody watches.
    #[must_use]
    pub fn watchdog_interval(self) -> Option<Duration> {
        sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|interval| !interval.is_zero())
    }
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        report(&error);
    }
}

fn report(error: &io::Error) {
    tracing::warn!(%error, "cannot notify the service manager");
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;

    use super::*;

    /// Set for the child process that `the_manager_reads_what_is_meant` starts: a process cannot safely change its own
    /// environment, so the messages are sent by a second one.
    const CHILD: &str = "ERASURED_TEST_NOTIFY_CHILD";

    #[test]
    fn child() {
        let notifier = Notifier;
        if std::env::var_os(CHILD).is_none() {
            return;
        }
        notifier.ready();
        notifier.reloading();
        notifier.status("two\nlines");
        notifier.watchdog();
        notifier.stopping();
        notifier.status(&format!("{:?}", notifier.watchdog_interval()));
    }

    #[test]
    fn the_manager_reads_what_is_meant() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["systemd::notify::tests::child", "--exact"])
            .env(CHILD, "1")
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "20000000")
            .env_remove("WATCHDOG_PID")
            .output()
            .unwrap()
            .status;
        assert!(status.success());
        let next = || {
            let mut buffer = [0; 512];
            let length = socket.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        assert_eq!(next(), "READY=1\n");
        let reloading = next();
        let since = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("one datagram with both");
        assert!(since.trim().parse::<u64>().unwrap() > 0);
        assert_eq!(next(), "STATUS=two lines\n");
        assert_eq!(next(), "WATCHDOG=1\n");
        assert_eq!(next(), "STOPPING=1\n");
        assert_eq!(next(), "STATUS=Some(10s)\n");
    }

    #[test]
    fn without_a_manager_nothing_happens() {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            Notifier.ready();
            Notifier.reloading();
        }
        if std::env::var_os("WATCHDOG_USEC").is_none() {
            assert_eq!(Notifier.watchdog_interval(), None);
        }
    }
}
