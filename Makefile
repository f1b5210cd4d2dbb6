# SPDX-License-Identifier: GPL-2.0
#
# The targets for people.  The kernel's build system reads Kbuild.

include scripts/paths.mk

VARIABLES := KDIR KERNELS TESTS SUITE ONLY FULL V O JOBS MEMORY SMP TIMEOUT
export $(VARIABLES)

# The destination of an installation without a package
prefix ?= /usr/local
export prefix

# The kernel tree to build for.  The default is that of the running kernel.
tree := $(abspath $(or $(KDIR),/lib/modules/$(shell uname -r)/build))

missing := $(if $(KDIR),KDIR: $(tree) is not a kernel tree,no kernel headers in \
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

# Installation by DKMS, without a package
dkms-install:
	@tree=$(tree) scripts/install dkms

dkms-remove:
	@tree=$(tree) scripts/install dkms-remove

# Installation for one kernel only, without DKMS and package
install: modules
	@tree=$(tree) scripts/install all

uninstall:
	@tree=$(tree) scripts/install remove

clean:
	$(if $(wildcard $(tree)/Makefile),$(MAKE) -C $(tree) M=$(CURDIR) clean)
	rm -rf build

help:
	@echo 'make          build devpub.ko for the running kernel, or for KDIR=TREE'
	@echo 'make demo     demonstrate the module in a guest'
	@echo 'make check    build the module and test it on stock kernels'
	@echo 'make kunit    run the KUnit suites, on a kernel built for them'
	@echo 'make kunit-debug      run them and tests/ on a kernel with all debug options'
	@echo 'make kunit-values     check that the suites detect each wrong expected value'
	@echo 'make kunit-mutants    check that the tests detect defects; takes hours'
	@echo 'make conformance      test what a process may expect, kernel by kernel'
	@echo 'make bench    measure, and write Documentation/performance.md'
	@echo 'make build    only build the module for the stock kernels'
	@echo 'make clean    remove what was built'
	@echo
	@echo 'make deb              build Debian packages in build/deb'
	@echo 'make check-version    check that all files contain the same version'
	@echo 'make check-packages   install, use, upgrade and purge the packages on Debian systems'
	@echo 'make dkms-install     let DKMS build the module for this and future kernels'
	@echo 'make dkms-remove      undo make dkms-install'
	@echo 'make install          install module, tools, library and tests in prefix (/usr/local)'
	@echo 'make uninstall        undo make install'
	@echo
	@scripts/check --help 2>&1 || :

.PHONY: modules build check kunit kunit-debug kunit-values kunit-mutants conformance bench demo \
	deb check-version check-packages dkms-install dkms-remove install uninstall clean help
