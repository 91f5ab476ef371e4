//! The files of the site as they are embedded: names, digests, compression.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use crate::bundle::Mode;

const COMPRESSIBLE: [&str; 9] = ["css", "html", "ico", "js", "json", "svg", "txt", "wasm", "webmanifest"];

/// Paths below site/ and their content.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Returns `pkg/<stem>.<hash>.<extension>`, a name that a browser may cache forever.
pub(crate) fn hashed_name(stem: &str, extension: &str, content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let hash = digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    format!("pkg/{stem}.{hash:016x}.{extension}")
}

/// Returns the digest in the form of `integrity` attributes and content security policies.
pub(crate) fn integrity(content: &[u8]) -> String {
    format!("sha256-{}", Base64::encode_string(&Sha256::digest(content)))
}

/// Replaces every file that becomes smaller by its compressed form, `<name>.br`.
pub(crate) fn compress(files: &mut Files, mode: Mode) -> Result<()> {
    let worth = |name: &str| {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| COMPRESSIBLE.contains(&extension))
    };
    let packed = std::thread::scope(|scope| {
        let jobs: Vec<_> = files
            .iter()
            .filter(|(name, _)| worth(name))
            .map(|(name, content)| (name, content.len(), scope.spawn(move || brotli(content, mode))))
            .collect();
        let mut packed = Vec::new();
        for (name, size, job) in jobs {
            let small = job.join().map_err(|_| anyhow::anyhow!("compression of {name} failed"))??;
            if small.len() < size {
                packed.push((name.clone(), small));
            }
        }
        anyhow::Ok(packed)
    })?;
    for (name, small) in packed {
        files.insert(format!("{name}.br"), small);
        files.remove(&name);
    }
    Ok(())
}

/// Compresses a file, at the highest quality for a release.
pub(crate) fn brotli(content: &[u8], mode: Mode) -> Result<Vec<u8>> {
    let quality = if mode == Mode::Release { 11 } else { 1 };
    let params =
        brotli::enc::BrotliEncoderParams { quality, lgwin: 22, size_hint: content.len(), ..Default::default() };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &*content, &mut out, &params)?;
    Ok(out)
}

/// Writes what differs and removes what an earlier build left behind, except the files that `kept` names.
pub(crate) fn write(site: &Path, files: &Files, kept: &dyn Fn(&str) -> bool) -> Result<()> {
    for (name, content) in files {
        let path = site.join(name);
        if fs::read(&path).is_ok_and(|old| old == *content) {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)?;
    }
    for name in list(site)? {
        if !files.contains_key(&name) && !kept(&name) {
            fs::remove_file(site.join(name))?;
        }
    }
    Ok(())
}

/// Returns every file below a folder, as paths with `/`, in order. A missing folder has none.
pub(crate) fn list(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    while let Some(prefix) = open.pop() {
        let path = folder.join(&prefix);
        if !path.is_dir() {
            continue;
        }
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                open.push(format!("{name}/"));
            } else {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_changes_with_the_content() {
        let one = hashed_name("login", "js", b"one");
        assert_eq!(one, "pkg/login.7692c3ad3540bb80.js");
        assert_ne!(one, hashed_name("login", "js", b"two"));
    }

    #[test]
    fn integrity_is_base64_of_sha256() {
        assert_eq!(integrity(b""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn only_what_shrinks_is_compressed() -> Result<()> {
        let mut files = Files::from([
            ("pkg/long.css".to_owned(), vec![b'a'; 10_000]),
            ("short.txt".to_owned(), b"a".to_vec()),
            ("photo.png".to_owned(), vec![b'a'; 10_000]),
        ]);
        compress(&mut files, Mode::Release)?;
        let names: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["photo.png", "pkg/long.css.br", "short.txt"]);
        Ok(())
    }
}
