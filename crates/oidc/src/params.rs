//! The parameters of a request: a query string or a form body.

/// Maximum number of parameters.
const MOST: usize = 64;
/// The only parameter that may occur more than once (RFC 8707, section 2).
const RESOURCE: &str = "resource";

/// Decoded parameters in the order of the request. An empty value counts as a missing one (RFC 6749, section 3.1).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params {
    pairs: Vec<(String, String)>,
    repeated: Option<String>,
}

impl Params {
    /// Reads `application/x-www-form-urlencoded` text. Further parameters than the first 64 are dropped and count as a
    /// repetition, so that such a request is refused.
    pub fn parse(text: &str) -> Self {
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let known = params.pairs.iter().any(|(own, _)| *own == name);
            if (known && name != RESOURCE) || params.pairs.len() == MOST {
                params.repeated.get_or_insert_with(|| name.clone().into_owned());
            } else {
                params.pairs.push((name.into_owned(), value.into_owned()));
            }
        }
        params
    }

    /// Returns a parameter's value. `None`: it is missing or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns all values of `resource`, each once.
    pub fn resources(&self) -> Vec<String> {
        let mut resources = Vec::new();
        for resource in self.all(RESOURCE).map(str::to_owned) {
            if !resources.contains(&resource) {
                resources.push(resource);
            }
        }
        resources
    }

    /// Returns the name of a parameter that occurs more than once, which is an invalid request (RFC 6749, section 3.1).
    pub fn repeated(&self) -> Option<&str> {
        self.repeated.as_deref()
    }

    /// Whether this parameter is the repeated one.
    pub fn repeats(&self, name: &str) -> bool {
        self.repeated.as_deref() == Some(name)
    }

    /// Returns the parameters as text again, without `names`.
    pub fn encode_without(&self, names: &[&str]) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.pairs.iter().filter(|(name, _)| !names.contains(&name.as_str())) {
            text.append_pair(name, value);
        }
        text.finish()
    }

    /// Adds a parameter, unless it has a value.
    pub fn add_missing(&mut self, name: &str, value: &str) {
        if self.get(name).is_none() {
            self.pairs.retain(|(own, _)| own != name);
            self.pairs.push((name.to_owned(), value.to_owned()));
        }
    }

    fn all<'a, 'b>(&'a self, name: &'b str) -> impl Iterator<Item = &'a str> + use<'a, 'b> {
        let named = self.pairs.iter().filter(move |(own, value)| own == name && !value.is_empty());
        named.map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for Params {
    /// Writes names only, because values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

/// Returns the decoded parameters of a query string, where names may repeat.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes())
        .take(MOST)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// Encodes the text of a form again, so that it fits into a URL. Repeated names stay.
pub fn encoded_again(text: &str) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(form_urlencoded::parse(text.as_bytes()));
    encoded.finish()
}

/// Appends parameters to a URI that may have a query already.
pub fn with_query(uri: &str, pairs: &[(&str, &str)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        text.append_pair(name, value);
    }
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{}", text.finish())
}
