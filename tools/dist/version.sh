# Sourced: the version, the commit and its time, for names and time stamps. Works without git, then without a commit.
VERSION=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
if [ -z "${BUILD_COMMIT:-}" ] && git rev-parse --git-dir >/dev/null 2>&1; then
    BUILD_COMMIT=$(git describe --always --dirty --abbrev=12 --exclude '*')
fi
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || true)
fi
# Without git and without a given time: the newest change of a source file that every release changes.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat --format=%Y CHANGELOG.md)}
BUILD_DATE=$(date --utc --date="@$SOURCE_DATE_EPOCH" +%F)
# The version that `--version` prints.
BUILD_VERSION="$VERSION (${BUILD_COMMIT:+$BUILD_COMMIT }$BUILD_DATE)"
export BUILD_VERSION VERSION BUILD_COMMIT=${BUILD_COMMIT:-} BUILD_DATE SOURCE_DATE_EPOCH
