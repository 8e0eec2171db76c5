dnl SPDX-License-Identifier: Apache-2.0

dnl WSK_HTTPD(FLOOR): find apxs and ask it where httpd is and how modules are built.
dnl Sets APXS, HTTPD, HTTPD_VERSION, HTTPD_CPPFLAGS, APR_CONFIG, APR_LIBS and
dnl module_dir. An httpd older than FLOOR is an error;
dnl what it lacks is in src/hooks/wsk_compat.h.
AC_DEFUN([WSK_HTTPD], [
AC_ARG_WITH([apxs],
    [AS_HELP_STRING([--with-apxs=PROGRAM], [the apxs of the httpd to build for])],
    [], [with_apxs=yes])
AS_CASE([$with_apxs],
    [no], [AC_MSG_ERROR([a module cannot be built without apxs])],
    [yes], [AC_PATH_PROGS([APXS], [apxs apxs2], [], [$PATH:/usr/local/apache2/bin:/usr/sbin])],
    [APXS=$with_apxs])
AS_IF([test -z "$APXS" || test ! -x "$APXS"],
    [AC_MSG_ERROR([apxs not found${APXS:+: $APXS}; install apache2-dev or httpd-devel, or use --with-apxs=])])
AC_SUBST([APXS])

HTTPD=`$APXS -q SBINDIR`/`$APXS -q PROGNAME`
AS_IF([test ! -x "$HTTPD"], [AC_MSG_ERROR([apxs names $HTTPD as its httpd, which is not there])])
AC_SUBST([HTTPD])

APR_CONFIG=`$APXS -q APR_CONFIG`
AS_IF([test ! -x "$APR_CONFIG"], [AC_MSG_ERROR([apxs names $APR_CONFIG, which is not there])])
AC_SUBST([APR_CONFIG])
APR_LIBS="`$APR_CONFIG --link-ld`"
AC_SUBST([APR_LIBS])

dnl Their headers are not ours to warn about: -isystem.
wsk_apxs_include=`$APXS -q INCLUDEDIR`
wsk_apr_include=`$APR_CONFIG --includedir`
HTTPD_CPPFLAGS="-isystem $wsk_apxs_include -isystem $wsk_apr_include `$APXS -q EXTRA_CPPFLAGS` `$APR_CONFIG --cppflags`"
AC_SUBST([HTTPD_CPPFLAGS])

AC_MSG_CHECKING([for httpd $1 or later])
HTTPD_VERSION=`$HTTPD -v | sed -n 's,^Server version: [[^/]]*/\([[0-9.]]*\).*,\1,p'`
AC_MSG_RESULT([$HTTPD_VERSION])
AS_VERSION_COMPARE([$HTTPD_VERSION], [$1],
    [AC_MSG_ERROR([httpd $HTTPD_VERSION is too old])])
AC_SUBST([HTTPD_VERSION])

AC_ARG_WITH([module-dir],
    [AS_HELP_STRING([--with-module-dir=DIR], [where make install puts the module @<:@asked from apxs@:>@])],
    [module_dir=$withval], [module_dir=`$APXS -q LIBEXECDIR`])
AC_SUBST([module_dir])
])
