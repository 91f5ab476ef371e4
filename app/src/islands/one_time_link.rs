use crate::browser::page;
use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// A dialog with a link that is shown once, for copying or printing.
#[derive(Debug, Clone, Copy)]
pub(super) struct OneTimeLink {
    link: RwSignal<String>,
    said: RwSignal<&'static str>,
    dialog: NodeRef<Dialog>,
    field: NodeRef<Input>,
}

impl OneTimeLink {
    pub(super) fn new() -> Self {
        Self {
            link: RwSignal::new(String::new()),
            said: RwSignal::new(""),
            dialog: NodeRef::new(),
            field: NodeRef::new(),
        }
    }

    pub(super) fn show(self, link: String) {
        self.link.set(link);
        self.said.set("");
        if let Some(dialog) = self.dialog.get_untracked() {
            // Fails only if it is open already.
            let _ = dialog.show_modal();
        }
    }

    /// Renders the dialog. `title` and `about` are printed too. A page may have one dialog for each row of a list, so
    /// nothing in it has an id.
    pub(super) fn view(self, title: String, about: &'static str) -> impl IntoView {
        self.named_view(title, about, "Link")
    }

    /// Renders the dialog for a text that is not a link. `name`: its label.
    pub(super) fn named_view(self, title: String, about: &'static str, name: &'static str) -> impl IntoView {
        let label = title.clone();
        let copy = move |_| {
            if let Some(field) = self.field.get_untracked() {
                field.select();
            }
            spawn_local(async move {
                let copied = page::copy(&self.link.get_untracked()).await;
                self.said.set(if copied { "Copied." } else { "Could not copy. Copy the selected text yourself." });
            });
        };
        let close = move |_| {
            if let Some(dialog) = self.dialog.get_untracked() {
                dialog.close();
            }
        };
        // Also called after Escape: the page behind the dialog does not show yet what was made.
        let closed = move |_| {
            if !self.link.with_untracked(String::is_empty) {
                self.link.set(String::new());
                page::reload();
            }
        };
        view! {
            <dialog node_ref=self.dialog class="link-dialog" aria-label=label on:close=closed>
                <h2>{title}</h2>
                <p>{about}</p>
                <label>
                    <span>{name}</span>
                    <input node_ref=self.field readonly prop:value=self.link />
                </label>
                <p class="print-only figures">{self.link}</p>
                <p class="small quiet" role="status">
                    {self.said}
                </p>
                <div class="choices">
                    <button class="button plain" type="button" on:click=move |_| page::print()>
                        "Print"
                    </button>
                    <button class="button plain" type="button" on:click=copy>
                        "Copy"
                    </button>
                    <button class="button" type="button" on:click=close>
                        "Done"
                    </button>
                </div>
            </dialog>
        }
    }
}
