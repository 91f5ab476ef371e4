//! Errors in the log.

/// Formats an error with all its causes for the log. A cause that the text already names is not repeated.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let says = cause.to_string();
        if !text.contains(&says) {
            text.push_str(": ");
            text.push_str(&says);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{says}")]
    struct Layer {
        says: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn each_cause_is_named_once() {
        let layer = |says, source: Option<Layer>| Layer { says, source: source.map(Box::new) };
        let cause = layer("it is locked", None);
        let again = layer("the engine says: it is locked", Some(cause));
        assert_eq!(chain(&layer("database", Some(again))), "database: the engine says: it is locked");
    }
}
