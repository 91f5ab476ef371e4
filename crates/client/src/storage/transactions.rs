//! Signed transactions that wait to be sent. Each has its own file and is never in the keyring, whose items may be too
//! small. Such a file can pay only the gate.

use super::{Storage, StoredRecord, file};
use crate::{Error, Result, Server};
use std::io::ErrorKind;
use std::path::PathBuf;
use zeroize::Zeroizing;

const EXTENSION: &str = "tx";

impl Storage {
    /// Stores a transaction durably before it is sent. The caller holds the lock.
    pub(crate) fn keep_transaction<T: StoredRecord>(&self, server: &Server, txid: &str, signed: &str) -> Result<()> {
        let path = self.transaction_path::<T>(server, txid)?;
        file::make_folder(&self.folder.join(T::KIND))?;
        file::write(&path, &signed)
    }

    pub(crate) fn transaction<T: StoredRecord>(
        &self,
        server: &Server,
        txid: &str,
    ) -> Result<Option<Zeroizing<String>>> {
        let path = self.transaction_path::<T>(server, txid)?;
        let Some(text) = file::read(&path)? else { return Ok(None) };
        serde_json::from_slice(&text).map(|text| Some(Zeroizing::new(text))).map_err(|_| Error::Unreadable(path))
    }

    /// Deletes all of a server's transactions except those listed. The caller holds the lock.
    pub(crate) fn keep_transactions_of<T: StoredRecord>(&self, server: &Server, txids: &[&str]) -> Result<()> {
        let folder = self.folder.join(T::KIND);
        let broken = |error| Error::File(folder.clone(), error);
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(broken)?,
        };
        for entry in entries {
            let path = entry.map_err(broken)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let of_server = name.strip_prefix(&server.file_name()).and_then(|rest| rest.strip_prefix('.'));
            let txid = of_server.and_then(|rest| rest.strip_suffix(EXTENSION)).and_then(|rest| rest.strip_suffix('.'));
            if txid.is_some_and(|txid| is_txid(txid) && !txids.contains(&txid)) {
                std::fs::remove_file(&path).map_err(|error| Error::File(path.clone(), error))?;
            }
        }
        Ok(())
    }

    fn transaction_path<T: StoredRecord>(&self, server: &Server, txid: &str) -> Result<PathBuf> {
        if !is_txid(txid) {
            return Err(Error::NoSuch(txid.to_owned()));
        }
        Ok(self.folder.join(T::KIND).join(format!("{}.{txid}.{EXTENSION}", server.file_name())))
    }
}

/// Whether the text is safe as part of a file name, because one server's name may be a prefix of another's.
fn is_txid(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
