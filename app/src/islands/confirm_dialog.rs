use leptos::html::Dialog;
use leptos::prelude::*;

/// A confirmation dialog for irreversible actions.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConfirmDialog(NodeRef<Dialog>);

impl ConfirmDialog {
    pub(super) fn new() -> Self {
        Self(NodeRef::new())
    }

    pub(super) fn ask(self) {
        if let Some(dialog) = self.0.get_untracked() {
            // Fails only if it is open already.
            let _ = dialog.show_modal();
        }
    }

    pub(super) fn close(self) {
        if let Some(dialog) = self.0.get_untracked() {
            dialog.close();
        }
    }

    /// Renders the dialog. `no` and `yes` are the buttons' texts; `destructive`: something is lost permanently.
    pub(super) fn view(
        self,
        title: String,
        about: impl IntoView,
        [no, yes]: [String; 2],
        destructive: bool,
        on_yes: impl Fn() + 'static,
    ) -> impl IntoView {
        let label = title.clone();
        let class = if destructive { "button danger" } else { "button" };
        let agree = move |_| {
            self.close();
            on_yes();
        };
        view! {
            <dialog node_ref=self.0 aria-label=label>
                <h2>{title}</h2>
                <p>{about}</p>
                <div class="choices">
                    <button class="button plain" type="button" on:click=move |_| self.close()>
                        {no}
                    </button>
                    <button class=class type="button" on:click=agree>
                        {yes}
                    </button>
                </div>
            </dialog>
        }
    }
}
