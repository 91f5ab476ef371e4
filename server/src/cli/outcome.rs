//! The result of a command, and common first steps.

use crate::config::Config;

/// The reason why a command failed.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
pub type Outcome = Result<(), Failure>;

/// Runs a command on this thread.
pub fn blocking(work: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Creates the data folder for its owner only.
pub fn data_folder(config: &Config) -> Outcome {
    use std::os::unix::fs::DirBuilderExt;
    let folder = &config.settings.data_dir;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| format!("cannot create the folder {} (data_dir): {error}", folder.display()))?;
    Ok(())
}
