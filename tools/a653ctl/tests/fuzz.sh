#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fuzz.sh CONF_FUZZ RUNS SECONDS - run the fuzzer on the configuration parser
#
# RUNS inputs, or as many as there is time for. Prints TAP. The seeds are the
# examples and the configurations of errors.txt, each in a file of its own.

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/seeds"
cp "$top"/examples/*.conf "$work/seeds"
awk -v dir="$work/seeds" '
/^=== / { nr++; file = dir "/error-" nr; printf "" >file; next }
/^---$/ { file = "" }
file { print >file }' "$here/errors.txt"

if "$1" -runs="$2" -max_total_time="$3" -seed=1 -max_len=4096 -timeout=10 \
	-rss_limit_mb=1024 -dict="$here/conf.dict" -artifact_prefix="$work/" \
	"$work/seeds" >"$work/log" 2>&1; then
	runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$work/log")
	echo "ok 1 fuzz: ${runs:-some} configurations"
	status=0
else
	echo "not ok 1 fuzz"
	tail -n 60 "$work/log" | sed 's/^/# /'
	for input in "$work"/{crash,leak,timeout,oom}-*; do
		[ -f "$input" ] || continue
		echo "# ${input##*/}, in base64:"
		base64 "$input" | sed 's/^/# /'
	done
	status=1
fi
echo "1..1"
exit $status
