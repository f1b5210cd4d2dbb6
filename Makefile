# SPDX-License-Identifier: GPL-2.0
#
# For people; the kernel's build system reads Kbuild.

include scripts/paths.mk

VARIABLES := KDIR KERNELS TESTS SUITE ONLY FULL V O JOBS MEMORY SMP TIMEOUT
export $(VARIABLES)

# For what is installed without a package
prefix ?= /usr/local
export prefix

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
	$(if $(KDIR),,@scripts/kunit --kernel 6.12 --debug --values \
		--suite expected_count.count_short_of_memory)

kunit-mutants:
	@scripts/kunit-mutants

conformance:
	@scripts/conformance

bench:
	@scripts/bench

demo:
	@scripts/demo

deb:
	@scripts/deb

check-version:
	@scripts/version check

check-packages:
	@ONLY="deb packages" scripts/check

# Without a package, but with DKMS
dkms-install:
	@tree=$(tree) scripts/install dkms

dkms-remove:
	@tree=$(tree) scripts/install dkms-remove

# Without either: for that kernel only
install: modules
	@tree=$(tree) scripts/install all

uninstall:
	@tree=$(tree) scripts/install remove

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
	@echo 'make deb              build Debian packages, into build/deb'
	@echo 'make check-version    is the version the same everywhere?'
	@echo 'make check-packages   install, use, upgrade and purge them on real Debian systems'
	@echo 'make dkms-install     have DKMS build the module for this kernel and those to come'
	@echo 'make dkms-remove      take that back'
	@echo 'make install          module, tools, library and tests, under prefix (/usr/local)'
	@echo 'make uninstall        take that back'
	@echo
	@scripts/check --help 2>&1 || :

.PHONY: modules build check kunit kunit-debug kunit-values kunit-mutants conformance bench demo \
	deb check-version check-packages dkms-install dkms-remove install uninstall clean help
