//! Lists and times that plain forms send as text.

use crate::whole::Whole;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum ListOrText {
    List(Vec<String>),
    Text(String),
}

/// Reads a list of texts, or one text with commas between them. Empty parts are dropped.
///
/// # Errors
/// The value is neither.
pub(crate) fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Option::<ListOrText>::deserialize(deserializer)?.map(|given| match given {
        ListOrText::List(list) => list,
        ListOrText::Text(text) => {
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        }
    }))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(Whole),
    Text(String),
}

/// Reads unix milliseconds, as a number or as text.
///
/// # Errors
/// The value is neither.
pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(Whole(number)) => Ok(number),
        NumberOrText::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use crate::account::AccountChange;

    #[test]
    fn a_list_may_be_a_text_with_commas() {
        let read = |json: &str| serde_json::from_str::<AccountChange>(json).map(|change| change.groups);
        let both = Some(vec!["family".to_owned(), "media".to_owned()]);
        assert_eq!(read(r#"{"groups":["family","media"]}"#).ok(), Some(both.clone()));
        assert_eq!(read(r#"{"groups":" family, ,media "}"#).ok(), Some(both));
        assert_eq!(read(r#"{"groups":""}"#).ok(), Some(Some(Vec::new())));
        assert_eq!(read("{}").ok(), Some(None));
        assert_eq!(read(r#"{"groups":null}"#).ok(), Some(None));
        assert!(read(r#"{"groups":7}"#).is_err());
    }
}
