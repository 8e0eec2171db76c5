dnl SPDX-License-Identifier: Apache-2.0

dnl WSK_TRY_FLAG(variable, flag): append the flag if the compiler takes it.
AC_DEFUN([WSK_TRY_FLAG], [
AC_MSG_CHECKING([whether $CC takes $2])
wsk_saved_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS -Werror $2"
AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"],
    [AC_MSG_RESULT([no])])
CFLAGS=$wsk_saved_CFLAGS
])

dnl WSK_WARNINGS: our warnings, and --enable-werror. They are kept out of
dnl CFLAGS, since neither our probes nor libtool's survive -Werror.
AC_DEFUN([WSK_WARNINGS], [
WSK_CFLAGS="-std=c11"
m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wvla -Wundef -Wstrict-prototypes
    -Wmissing-prototypes -Wwrite-strings -Wformat=2 -fstack-protector-strong],
    [WSK_TRY_FLAG([WSK_CFLAGS], flag)
])
AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [make every warning an error])],
    [], [enable_werror=no])
AS_IF([test "$enable_werror" != no], [WSK_CFLAGS="$WSK_CFLAGS -Werror"])
AC_SUBST([WSK_CFLAGS])
])

dnl WSK_SANITIZERS: --enable-asan, -ubsan, -tsan. The flags go to compiler and
dnl linker; t/lib/WordSocket/Server.pm preloads the runtime into httpd.
AC_DEFUN([WSK_SANITIZERS], [
wsk_sanitizers=
AC_ARG_ENABLE([asan],
    [AS_HELP_STRING([--enable-asan], [build with the address sanitizer])])
AC_ARG_ENABLE([ubsan],
    [AS_HELP_STRING([--enable-ubsan], [build with the undefined behaviour sanitizer])])
AC_ARG_ENABLE([tsan],
    [AS_HELP_STRING([--enable-tsan], [build with the thread sanitizer])])
AS_IF([test "${enable_asan:-no}" = yes && test "${enable_tsan:-no}" = yes],
    [AC_MSG_ERROR([address and thread sanitizer cannot be combined])])
AS_IF([test "${enable_asan:-no}" = yes], [wsk_sanitizers="$wsk_sanitizers,address"])
AS_IF([test "${enable_ubsan:-no}" = yes], [wsk_sanitizers="$wsk_sanitizers,undefined"])
AS_IF([test "${enable_tsan:-no}" = yes], [wsk_sanitizers="$wsk_sanitizers,thread"])
wsk_sanitizers=${wsk_sanitizers#,}
SANITIZER_FLAGS=
AS_IF([test -n "$wsk_sanitizers"], [
    SANITIZER_FLAGS="-fsanitize=$wsk_sanitizers -fno-omit-frame-pointer -g"
    AS_CASE([$wsk_sanitizers], [*address*],
        [SANITIZER_FLAGS="$SANITIZER_FLAGS -fsanitize-recover=address"])
    wsk_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $SANITIZER_FLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM()], [],
        [AC_MSG_ERROR([$CC cannot link with -fsanitize=$wsk_sanitizers])])
    CFLAGS=$wsk_saved_CFLAGS
])
AC_SUBST([SANITIZER_FLAGS])
])

dnl WSK_COVERAGE: --enable-coverage, for gcov.
AC_DEFUN([WSK_COVERAGE], [
AC_ARG_ENABLE([coverage],
    [AS_HELP_STRING([--enable-coverage], [record which lines tests run, for gcov])],
    [], [enable_coverage=no])
COVERAGE_FLAGS=
AS_IF([test "$enable_coverage" != no], [COVERAGE_FLAGS="--coverage -O0 -g"])
AC_SUBST([COVERAGE_FLAGS])
])
