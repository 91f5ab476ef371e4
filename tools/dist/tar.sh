# Sourced: archive FILE FOLDER... writes a tar with fixed order, owners and times, independent of the user and the time.
archive() {
    local file=$1
    shift
    tar --create --file "$file" --format=gnu --sort=name --owner=0 --group=0 --numeric-owner \
        --mode=u+rw,go+r,go-w --mtime="@$SOURCE_DATE_EPOCH" "$@"
}
