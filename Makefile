# SPDX-License-Identifier: GPL-2.0

.DEFAULT_GOAL := help
selftests := tools/testing/selftests/sched_a653

help:
	@echo 'make demo         build all, boot a guest, run partitions in their windows, report'
	@echo 'make check        every test; the last line is "N passed, N failed"'
	@echo 'make check-debug  the tests in the guest under lockdep, KASAN and the invariant checker'
	@echo 'make bench        measure latencies'
	@echo 'make kernel       build the guest kernel        (CONFIG=base|debug|kasan|off)'
	@echo 'make tools        build a653ctl and the tests   (in build/bin)'
	@echo 'make shell        a shell in the guest'
	@echo 'make docs         render the documentation      (in build/docs)'
	@echo 'make clean        remove build/'
	@echo
	@echo 'ONLY="lint kunit" chooses the steps of check; scripts/vm --help: run anything in a guest.'

setup:
	@scripts/setup

kernel: setup
	@scripts/kernel --config $(or $(CONFIG),base)

tools: setup
	@$(MAKE) --no-print-directory -C tools/a653ctl
	@$(MAKE) --no-print-directory -C $(selftests)

demo: kernel tools
	@scripts/demo

bench: kernel tools
	@scripts/bench

shell: kernel tools
	@scripts/vm -- bash

check check-debug: setup
	@scripts/$@

docs: setup
	@scripts/docs

clean:
	rm -rf build

distclean: clean

.PHONY: help setup kernel tools demo bench shell check check-debug docs clean distclean
