//! New migration files must reach the binary: the macro that embeds them only watches those it knows.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
