use leptos::prelude::*;

/// A select field: submitted values and their labels.
#[component]
pub fn Options(
    id: &'static str,
    /// The field's name, if it differs from the id.
    #[prop(optional)]
    name: Option<&'static str>,
    chosen: String,
    options: Vec<(String, String)>,
) -> impl IntoView {
    let option = move |(value, text): (String, String)| {
        let selected = value == chosen;
        view! {
            <option value=value selected=selected>
                {text}
            </option>
        }
    };
    view! {
        <select id=id name=name.unwrap_or(id)>
            {options.into_iter().map(option).collect_view()}
        </select>
    }
}

/// Returns fixed options as owned texts.
pub fn owned(options: &[(&str, &str)]) -> Vec<(String, String)> {
    options.iter().map(|(value, text)| ((*value).to_owned(), (*text).to_owned())).collect()
}
