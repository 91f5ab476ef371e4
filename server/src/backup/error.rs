use crate::key_encryption;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error(
        "PostgreSQL has its own tools for this: pg_dump makes a copy while it runs, psql or pg_restore puts it back"
    )]
    Postgres,
    #[error("{0} already exists and is not replaced")]
    Exists(PathBuf),
    #[error("{0} already exists: --force replaces it")]
    NeedsForce(PathBuf),
    #[error("a server or another command is using {0}: stop it first")]
    InUse(PathBuf),
    #[error("'postern restore' is replacing {0}: wait until it is done")]
    Restoring(PathBuf),
    #[error(
        "{0} lacks the key-encryption key of the backup, so nothing was replaced. Add the key from the time of the backup \
         on a further line of that file, or restore a backup that was made with --with-key"
    )]
    LacksKey(String),
    #[error("{0} is not a Postern backup")]
    NoBackup(PathBuf),
    #[error("the copy is damaged: {0}")]
    Damaged(String),
    #[error("the backup was made by a newer version of Postern: use that one or a newer one")]
    Newer,
    #[error("the passphrase is shorter than 15 characters")]
    Short,
    #[error("the passphrase is wrong, or the backup is damaged")]
    WrongPassphrase,
    #[error("cannot read or write {0}")]
    File(PathBuf, #[source] std::io::Error),
    #[error(transparent)]
    Key(#[from] key_encryption::KeyEncryptionError),
    #[error(transparent)]
    Store(#[from] store::Error),
}
