//! What the program says: data on stdout, talk on stderr.

use std::fmt::Display;
use std::io::{self, BufRead, BufWriter, Write};

use super::exit::{Exit, Failure};
use super::table::clean;
use super::tongue::told;

/// Where data goes, and where talk goes.
pub(super) struct Streams<'s> {
    /// Stdout, or what stands for it.
    pub(super) out: &'s mut (dyn Write + Send),
    /// Stderr, or what stands for it.
    pub(super) err: &'s mut (dyn Write + Send),
    /// Whether stderr is a terminal, on which a line can be written over.
    pub(super) is_terminal: bool,
    /// Where somebody types answers to questions; none: there is nobody to ask.
    pub(super) input: Option<&'s mut (dyn BufRead + Send)>,
}

/// Stdout and stderr.
pub(super) struct Console<'s> {
    /// Whether data is the daemon's JSON instead of tables.
    pub(super) json: bool,
    out: BufWriter<&'s mut (dyn Write + Send)>,
    err: &'s mut (dyn Write + Send),
    input: Option<&'s mut (dyn BufRead + Send)>,
    terminal: bool,
    progressing: bool,
}

impl<'s> Console<'s> {
    pub(super) fn new(json: bool, streams: Streams<'s>) -> Self {
        let Streams { out, err, is_terminal, input } = streams;
        Self { json, out: BufWriter::new(out), err, input, terminal: is_terminal, progressing: false }
    }

    /// Writes data, and a line end if it has none.
    pub(super) fn data(&mut self, text: &str) -> Result<(), Failure> {
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        write!(self.out, "{text}{end}").map_err(|error| unwritten(&error))
    }

    /// Writes data as it is.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(|error| unwritten(&error))
    }

    /// Sees data off.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.end_progress();
        self.out.flush().map_err(|error| unwritten(&error))
    }

    /// Tells the reader something, in their language.
    pub(super) fn talk(&mut self, line: impl Display) {
        self.end_progress();
        // Who closes stderr does not want to be told.
        let _ = writeln!(self.err, "{}", told(&clean(&line.to_string())));
    }

    /// Shows the reader something that is in their language already.
    pub(super) fn show(&mut self, text: &str) {
        self.end_progress();
        // Who closes stderr does not want to be told.
        let _ = write!(self.err, "{text}");
    }

    /// Asks the reader, and gives the line that was typed; none: there is nobody to ask.
    pub(super) fn ask(&mut self, question: &str) -> Option<String> {
        self.end_progress();
        let input = self.input.as_mut()?;
        let _ = write!(self.err, "{} ", told(&clean(question)).trim_end());
        let _ = self.err.flush();
        let mut line = String::new();
        // What cannot be read is no answer, and is taken for a wrong one.
        let _ = input.read_line(&mut line);
        Some(line)
    }

    /// Tells the reader how things go on. On a terminal, over the line that said so before.
    pub(super) fn progress(&mut self, line: &str) {
        let line = told(&clean(line));
        let _ = if self.terminal { write!(self.err, "\r\x1b[K{line}") } else { writeln!(self.err, "{line}") };
        let _ = self.err.flush();
        self.progressing = self.terminal;
    }

    fn end_progress(&mut self) {
        if self.progressing {
            let _ = writeln!(self.err);
            self.progressing = false;
        }
    }

    /// Tells why one thing was not done.
    pub(super) fn error(&mut self, sentence: &str, hint: Option<&str>) {
        self.talk(format!("error: {sentence}"));
        if let Some(hint) = hint {
            self.talk(format!("hint: {hint}"));
        }
    }

    /// Tells why the verb was not done, after what data there was.
    pub(super) fn fail(&mut self, failure: &Failure) -> Exit {
        let unflushed = self.flush().err();
        match (failure, unflushed) {
            (Failure::NobodyReads, _) | (_, Some(Failure::NobodyReads)) => Exit::Done,
            (Failure::Told { exit, sentence, hint }, _) => {
                self.error(sentence, hint.as_deref());
                *exit
            }
        }
    }
}

fn unwritten(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Failure::NobodyReads
    } else {
        Failure::new(Exit::Refused, format!("cannot write the answer: {error}"))
    }
}
