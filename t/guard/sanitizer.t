# SPDX-License-Identifier: Apache-2.0
# What is forgiven of a sanitizer's findings, and no more.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Sanitizer;

my $handler = <<'END';
==1==ERROR: AddressSanitizer: attempting double-free on 0x62900005a200 in thread T0:
    #0 0x7f01 in __interceptor_free asan_malloc_linux.cpp:52
    #1 0x7f02 in SSL_free (/lib/x86_64-linux-gnu/libssl.so.3+0x3b41c)
    #2 0x7f03 in apr_pool_destroy (/lib/x86_64-linux-gnu/libapr-1.so.0+0x225dd)
    #3 0x7f04  (/usr/lib/apache2/modules/mod_mpm_prefork.so+0x3e26)
    #4 0x7f05  (/lib/x86_64-linux-gnu/libc.so.6+0x3c04f)
END
my $under = <<'END';
    #5 0x7f06 in SSL_read (/lib/x86_64-linux-gnu/libssl.so.3+0x35452)
    #6 0x7f07 in drain_tls src/hooks/wsk_adopt.c:226

0x62900005a200 is located 0 bytes inside of 16712-byte region
END
ok WordSocket::Sanitizer::in_a_handler("$handler$under"), 'prefork cleans up in its signal handler';
ok !WordSocket::Sanitizer::in_a_handler($handler =~ s/SSL_free/wsk_conn_drop/r . $under), 'but not if we are in there';
ok !WordSocket::Sanitizer::in_a_handler($handler =~ s/^.*libc[.]so.*\n//mr . $under), 'nor if that is no handler';
ok !WordSocket::Sanitizer::in_a_handler($handler =~ s/prefork/event/r . $under), 'nor is another MPM';
ok !WordSocket::Sanitizer::in_a_handler(''), 'nothing is nothing';
done_testing;
