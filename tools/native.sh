# How the program that ships is compiled; source this, then `native cargo build --release ...`.
#
# Leptos erases the types of views where it is told so: a third of the code, a third of the time (docs/adr/0044). The
# browser's files grow by it and do without. The platform is named, so that macros and build scripts are the same for
# both and are compiled once.
target_dir=${CARGO_TARGET_DIR:-target}
platform=$(rustc --version --verbose | sed -n 's/^host: //p')

native() {
    CARGO_BUILD_TARGET=$platform CARGO_BUILD_RUSTFLAGS="--cfg erase_components" "$@"
}

# Where everybody looks for what cargo built: target/release.
at_hand() {
    mkdir -p "$target_dir/release"
    ln -f "$target_dir/$platform/release/$1" "$target_dir/release/$1"
}
