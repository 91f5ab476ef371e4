//! Browsers that passed the second factor, and are not asked for it again for a while.

use crate::Result;
use crate::audit::AuditEntry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::ids::UserId;
use domain::thumbprint::Thumbprint;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedDevice {
    /// A ULID, for paths and pages.
    pub id: String,
    pub user: UserId,
    /// Thumbprint of the browser's key, which it proves at each sign-in. A copied cookie is not enough.
    pub jkt: Thumbprint,
    /// The device's name, such as "Firefox on Fedora".
    pub device: String,
    /// The network of the sign-in that it was remembered in.
    pub address: String,
    pub created_at: UnixMs,
    /// The last sign-in without the second factor.
    pub used_at: UnixMs,
    pub expires_at: UnixMs,
}

/// The effect of an accepted sign-in on the remembered devices.
#[derive(Debug, Clone, Default)]
pub enum DeviceMemory {
    #[default]
    Unconcerned,
    /// It passed the second factor and is remembered from now on, with the row about that.
    Remember(Box<(RememberedDevice, AuditEntry)>),
    /// The id of the remembered device that replaced the second factor. It must still be remembered.
    Remembered(String),
}

#[async_trait]
pub trait RememberedDevices {
    /// Returns the remembered devices of an account that have not expired, the newest first.
    async fn remembered_devices(&self, user: &UserId, now: UnixMs) -> Result<Vec<RememberedDevice>>;
    /// Returns the id of the remembered device with this key.
    async fn remembered_device(&self, user: &UserId, jkt: Thumbprint, now: UnixMs) -> Result<Option<String>>;
    /// Forgets one device, or all. `false`: there was none.
    async fn forget_devices(&self, user: &UserId, id: Option<&str>, audit: &AuditEntry) -> Result<bool>;
}
