//! The program embeds the built site: when the site changes, the program must be built again.

fn main() {
    println!("cargo:rerun-if-changed=../../site/manifest.json");
}
