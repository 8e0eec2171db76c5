# SPDX-License-Identifier: Apache-2.0
# A short run of build/chaos, the same each time.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Chaos;

my %option = (seconds => 20, seed => 1);
for my $name (keys %option) {
    $option{$name} = $ENV{"WSK_CHAOS_\U$name"} // $option{$name};
}
my $chaos = WordSocket::Chaos->new(%option)->run;
if (my $file = $ENV{WSK_CHAOS_REPORT}) {
    open my $out, '>', $file or die "$file: $!\n";
    print $out JSON::PP->new->canonical->pretty->encode($chaos->{report});
}
done_testing;
