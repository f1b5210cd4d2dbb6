# SPDX-License-Identifier: GPL-2.0
#
# For people; the kernel's build system reads Kbuild.

VARIABLES := KDIR KERNELS TESTS SUITE ONLY FULL V O JOBS MEMORY SMP TIMEOUT
export $(VARIABLES)

# The tree to build for: by default, that of the running kernel.
tree := $(abspath $(or $(KDIR),/lib/modules/$(shell uname -r)/build))

missing := $(if $(KDIR),KDIR: $(tree) is no kernel tree,no kernel headers in \
	$(tree); run: sudo apt-get install linux-headers-$(shell uname -r), or give a tree as KDIR=)

modules:
	@test -f $(tree)/Makefile || { echo '$(missing)' >&2; exit 1; }
	$(MAKE) -C $(tree) M=$(CURDIR) modules

build:
	@ONLY=build scripts/check

check:
	@scripts/check

kunit:
	@scripts/kunit

kunit-debug:
	@scripts/kunit --debug --tests

kunit-values:
	@KERNELS="$(or $(KERNELS),6.12 newest)" scripts/kunit --values

kunit-mutants:
	@scripts/kunit-mutants

conformance:
	@scripts/conformance

bench:
	@scripts/bench

demo:
	@scripts/demo

clean:
	$(if $(wildcard $(tree)/Makefile),$(MAKE) -C $(tree) M=$(CURDIR) clean)
	rm -rf build

help:
	@echo 'make          build devpub.ko for the running kernel, or for KDIR=TREE'
	@echo 'make demo     show it at work in a guest'
	@echo 'make check    build and test it on stock kernels: all that must pass'
	@echo 'make kunit    run the KUnit suites, on a kernel built for them'
	@echo 'make kunit-debug      on one with all alarms on, and tests/ too'
	@echo 'make kunit-values     see whether they notice each expected value that is wrong'
	@echo 'make kunit-mutants    see whether the tests notice defects: takes hours'
	@echo 'make conformance      what holds of memory on the device, kernel by kernel'
	@echo 'make bench    measure, and write Documentation/performance.md'
	@echo 'make build    only build it for these kernels'
	@echo 'make clean    remove what was built'
	@echo
	@scripts/check --help 2>&1 || :

.PHONY: modules build check kunit kunit-debug kunit-values kunit-mutants conformance bench demo clean help
