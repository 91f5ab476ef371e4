//! A transaction as a node has it.

/// A transaction according to the node.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeTransaction {
    /// The complete bytes, not verified.
    pub blob: Vec<u8>,
    /// The number of its block; `None`: in the pool.
    pub block: Option<u64>,
    /// The time of its block, or of its first appearance in the node's pool. Unix seconds, according to the node.
    pub since: Option<u64>,
    pub double_spend_seen: bool,
}

/// The position of a transaction, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockPosition {
    /// The number of its block; `None`: in the pool.
    pub block: Option<u64>,
    pub double_spend_seen: bool,
}

impl std::fmt::Debug for NodeTransaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seen({} bytes, block {:?})", self.blob.len(), self.block)
    }
}
