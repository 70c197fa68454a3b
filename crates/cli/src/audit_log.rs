//! Audit logs as commands read them: an export in a file, or the segments of a directory. Neither is ever changed.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ecac_artifact::exit;
use ecac_audit::{
    AuditError, AuditLog, CosignedCheckpoint, DiskError, Expect, Export, Folder, Origin, Segments,
    Source, Survey, check_last_segment, read_cosigned_at, survey,
};

use crate::failure::Failure;
use crate::{input, text};

/// An audit log that was found.
#[derive(Debug)]
pub(crate) struct AuditInput {
    path: PathBuf,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// The bytes of an export, and its path for messages.
    Export { label: String, bytes: Vec<u8> },
    /// A directory of segments.
    Directory(Folder),
}

impl AuditInput {
    /// Looks what is at the path. An export is read into memory, the segments of a directory are not.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let form = if path.is_dir() {
            let folder = Folder::open(path);
            Form::Directory(folder.map_err(|error| Failure::read(&what(path), &error))?)
        } else {
            Form::Export {
                label: text::path(path),
                bytes: input::audit_log(path)?,
            }
        };
        let path = path.to_owned();
        Ok(Self { path, form })
    }

    /// The bytes of the export: the file, or all segments one after the other.
    pub(crate) fn bytes(&self) -> Result<Cow<'_, [u8]>, Failure> {
        if let Form::Export { bytes, .. } = &self.form {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut all = Vec::new();
        let count = self
            .segments()
            .map_err(|error| self.failure("read", &error))?;
        for segment in 0..count {
            let read = self
                .read(segment)
                .and_then(|mut it| it.read_to_end(&mut all));
            read.map_err(|error| Failure::read(&what(&self.path), &error))?;
        }
        Ok(Cow::Owned(all))
    }

    /// Reads and verifies all of it into memory. `doing` completes "failed to … the audit log".
    pub(crate) fn verify(&self, expect: &Expect, doing: &str) -> Result<AuditLog, Failure> {
        if self.is_directory() {
            // It says what is wrong in which segment.
            let survey = survey(self, expect, &mut |_, _, _| {}).and_then(Survey::whole);
            let survey = survey.map_err(|error| self.failure(doing, &error))?;
            self.check_last_segment(&survey.origin(), doing)?;
        }
        let read = AuditLog::verify(&self.bytes()?, expect);
        read.map_err(|error| audit_failure(doing, &self.path, &error))
    }

    /// Requires that the last segment is there, as far as the directory tells.
    pub(crate) fn check_last_segment(&self, origin: &Origin, doing: &str) -> Result<(), Failure> {
        match &self.form {
            Form::Export { .. } => Ok(()),
            Form::Directory(folder) => {
                let checked = check_last_segment(folder, origin);
                checked.map_err(|error| self.failure(doing, &error))
            }
        }
    }

    /// The head over `size` entries with the signatures of witnesses, where the directory has some for it.
    pub(crate) fn cosigned(
        &self,
        origin: &Origin,
        size: u64,
    ) -> Result<Option<CosignedCheckpoint>, Failure> {
        match &self.form {
            Form::Export { .. } => Ok(None),
            Form::Directory(folder) => {
                let read = read_cosigned_at(folder, origin, size);
                read.map_err(|error| self.failure("read", &error))
            }
        }
    }

    const fn is_directory(&self) -> bool {
        matches!(self.form, Form::Directory(_))
    }

    /// What is wrong with it, where something is.
    pub(crate) fn failure(&self, doing: &str, error: &DiskError) -> Failure {
        let (code, hint) = match error {
            DiskError::Damaged { error, .. } | DiskError::ForeignLog { error } => {
                (code(error), hint(error))
            }
            DiskError::NoLog => (
                exit::BAD_INPUT,
                "a directory with an audit log has segments: 000000.jsonl and so on",
            ),
            DiskError::Io { .. } => (exit::ENVIRONMENT, "check who may read the files"),
            DiskError::Tail { .. } => (
                exit::VERIFICATION,
                "it is being written, or its writer stopped; its writer cuts that off when it opens the log again",
            ),
            _ => (
                exit::VERIFICATION,
                "the directory is not what the node wrote; keep it, and fetch it again from the node",
            ),
        };
        let doing = format!("{doing} {}", what(&self.path));
        Failure::new(code, doing, text::escape(&error.to_string()), hint)
    }
}

impl Source for AuditInput {
    fn segments(&self) -> Result<u64, DiskError> {
        match &self.form {
            Form::Export { label, bytes } => Export { label, bytes }.segments(),
            Form::Directory(folder) => Segments(folder).segments(),
        }
    }

    fn label(&self, segment: u64) -> String {
        match &self.form {
            Form::Export { label, bytes } => Export { label, bytes }.label(segment),
            Form::Directory(folder) => Segments(folder).label(segment),
        }
    }

    fn read(&self, segment: u64) -> io::Result<Box<dyn Read + '_>> {
        match &self.form {
            Form::Export { bytes, .. } => Ok(Box::new(&bytes[..])),
            Form::Directory(folder) => ecac_audit::Directory::read(folder, &self.label(segment)),
        }
    }
}

fn what(path: &Path) -> String {
    format!("the audit log {}", text::path(path))
}

/// The failure that an audit log at fault is.
fn audit_failure(doing: &str, path: &Path, error: &AuditError) -> Failure {
    Failure::new(
        code(error),
        format!("{doing} {}", what(path)),
        text::escape(&error.to_string()),
        hint(error),
    )
}

/// A file of another kind is bad input; an audit log at fault has failed its verification.
const fn code(error: &AuditError) -> u8 {
    match error {
        AuditError::Header { .. }
        | AuditError::Format { .. }
        | AuditError::LineTooLong { line: 1 }
        | AuditError::Torn { line: 1 } => exit::BAD_INPUT,
        _ => exit::VERIFICATION,
    }
}

const fn hint(error: &AuditError) -> &'static str {
    match error {
        AuditError::Header { .. }
        | AuditError::Format { .. }
        | AuditError::LineTooLong { line: 1 }
        | AuditError::Torn { line: 1 } => {
            "an audit log is JSON Lines that begin with a header, as `ecac audit-export` writes them"
        }
        AuditError::Project { .. } => "compare it with the op log of its own project",
        AuditError::Node { .. } => "ask the node for its own log, or check --node",
        AuditError::Empty | AuditError::NoEntries | AuditError::Unsigned { .. } => {
            "an export ends in a signed head; fetch the file again and compare it with a head that you know"
        }
        _ => "the file is not what the node signed; keep it, and fetch it again from the node",
    }
}
