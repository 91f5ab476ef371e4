/* Linked into the static programs only. The C library would otherwise load the modules that /etc/nsswitch.conf names. They
   belong to another version of the C library, and loading them into a static program crashes it. */
#include <nss.h>

__attribute__((constructor)) static void look_up_names_by_files_and_dns(void)
{
    __nss_configure_lookup("hosts", "files dns");
    __nss_configure_lookup("passwd", "files");
}
