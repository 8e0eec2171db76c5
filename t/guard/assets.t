# SPDX-License-Identifier: Apache-2.0
# What the module serves of src/hooks/assets is what lies there.
use v5.30;
use warnings;
use Test::More;

is system('build/tools/embed-assets', '--check'), 0, 'src/hooks/wsk_assets.c is up to date'
    or diag 'run build/tools/embed-assets';
done_testing;
