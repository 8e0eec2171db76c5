# SPDX-License-Identifier: Apache-2.0
# What httpd has only since a release after the oldest we build for stands in
# src/hooks/wsk_compat.h alone, and all of our sources compile without it.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files slurp);

my $compat = 'src/hooks/wsk_compat.h';
# Each name, with the number ap_mmn.h says it came with.
my %since = (
    merge_slashes => 84, ap_set_conn_count => 85, ap_is_chunked => 91, ap_parse_strict_length => 93,
    ap_get_status_line_ex => 96, ap_get_read_buf_size => 97, ap_ssl_conn_is_ssl => 102, ap_ssl_var_lookup => 102,
    'http_ssl\.h' => 104, ap_create_request => 106, ap_parse_request_line => 107, ap_check_request_header => 107,
    ap_normalize_path => 109, 'AP_NORMALIZE_\w+' => 109, ap_hook_pre_translate_name => 109, ap_hook_child_stopping => 110,
    ap_ssl_bind_outgoing => 116, ap_pre_connection => 117, ap_unescape_url_ex => 118, ap_post_read_request => 121,
    'ap_thread_\w+' => 122, ap_get_pollfd_from_conn => 129, ap_set_content_type_ex => 132, ap_filepath_merge => 132,
    AP_IS_SLASH => 134, CONN_STATE_KEEPALIVE => 135, AP_MPMQ_CAN_WAITIO => 137, 'ap_\w+_timingsafe' => 142,
);
my @sources = files(qr{^(?:src/.*|mod_wordsocket)\.[ch]$});
for my $file (grep { $_ ne $compat } @sources) {
    my $text = slurp($file);
    is join(' ', grep { $text =~ /\b$_\b/ } sort keys %since), '', "$file uses nothing that is newer";
    unlike $text, qr/MODULE_MAGIC|WSK_SINCE/, '... and asks for no release';
}

my ($floor) = slurp('configure.ac') =~ /^WSK_HTTPD\(\[([\d.]+)\]\)$/m;
like slurp($compat), qr/httpd \Q$floor\E or later/, "the floor is $floor in both places";

my @users = grep { /\.c$/ && slurp($_) =~ /wsk_compat\.h/ } @sources;
cmp_ok scalar @users, '>=', 3, 'it is used';
for my $file (@users) {
    my $said = qx{$ENV{CC} -fsyntax-only -Werror $ENV{WSK_BARE_FLAGS} -Isrc $ENV{WSK_HTTPD_FLAGS} -DWSK_VERSION='"x"' -DWSK_HTTPD_MINOR=83 $file 2>&1};
    is $said, '', "$file compiles for $floor";
}
done_testing;
