# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the variables are for those who source this
# What the scripts share. Sourced, not run.
#

name=${0##*/}
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$top/build

say() { printf '%s: %s\n' "$name" "$*" >&2; }
die() { say "$*"; exit 1; }

# The comment block that opens a script, after the SPDX line, is its help.
usage()
{
	sed -n '3,/^$/ { s/^# \{0,1\}//p }' "$0"
}
