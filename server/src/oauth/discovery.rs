//! The serialized discovery document, which changes only with the signing algorithms.

use axum::body::Bytes;
use parking_lot::RwLock;
use serde_json::Value;

#[derive(Debug, Default)]
pub struct DiscoveryCache(RwLock<Option<(Vec<&'static str>, Bytes)>>);

impl DiscoveryCache {
    /// Returns the document for these signing algorithms. `make` is called if they differ from the last ones.
    pub(crate) fn document(&self, signing: &[&'static str], make: impl FnOnce() -> Value) -> Bytes {
        if let Some((_, document)) = self.0.read().as_ref().filter(|(algorithms, _)| algorithms == signing) {
            return document.clone();
        }
        let document = Bytes::from(make().to_string());
        *self.0.write() = Some((signing.to_vec(), document.clone()));
        document
    }
}

#[cfg(test)]
mod tests {
    use super::DiscoveryCache;
    use serde_json::json;

    #[test]
    fn the_document_is_made_again_for_another_algorithm() {
        let cache = DiscoveryCache::default();
        for (signing, made, document) in [("ES256", 1, "1"), ("ES256", 2, "1"), ("EdDSA", 3, "3"), ("ES256", 4, "4")] {
            assert_eq!(cache.document(&[signing], || json!(made)), document);
        }
    }
}
