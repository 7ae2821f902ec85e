#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the packages of a folder in a Debian that has nothing else, and uses them there: clean_root.sh FOLDER SOURCE
# Needs root, mmdebstrap and Debian's mirror; left out, with a word (status 77), without.
set -eu

# --- inside of the new root, where everything is in /tmp/packages

if [ "$1" = --inside ]; then
	cd /tmp/packages
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -q -y --no-install-recommends ./*.deb
	scenario=scenario.lua
	invar-forge "$scenario" -o image --truth truth.json
	status=0
	invar check image >report || status=$?
	[ "$status" = 1 ]
	grep -q '^L01' report
	invar explain L03 | grep -q 'memory manager'
	invar --version
	status=0
	python3 /usr/share/doc/libinvar-dev/examples/check.py image >ids || status=$?
	[ "$status" = 1 ]
	grep -q '^L01 process 0x' ids
	for file in /usr/share/bash-completion/completions/invar /usr/share/zsh/vendor-completions/_invar \
		/usr/share/fish/vendor_completions.d/invar.fish /usr/include/invar/invar.h; do
		[ -s "$file" ]
	done
	apt-get purge -q -y invar libinvar0 libinvar-dev python3-invar
	left=$(find /usr -path '*invar*' | head)
	[ -z "$left" ] || {
		echo "left behind: $left"
		exit 1
	}
	echo "the packages work in a clean root"
	exit
fi

# --- outside

folder=$1
source=$2
[ "$(id -u)" = 0 ] || {
	echo "not root: no clean root can be made"
	exit 77
}
command -v mmdebstrap >/dev/null || {
	echo "mmdebstrap is missing: no clean root can be made"
	exit 77
}
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/packages"
for package in "$folder"/*.deb; do
	case $package in
	*-dbgsym_*) ;;
	*) cp "$package" "$work/packages" ;;
	esac
done
cp "$source/tests/scenarios/attack-unlink/scenario.lua" "$0" "$work/packages"
mmdebstrap --mode=root --variant=apt --format=null --skip=cleanup/apt \
	--customize-hook="copy-in '$work/packages' /tmp" \
	--customize-hook="chroot \"\$1\" sh /tmp/packages/$(basename "$0") --inside" \
	"$release" /dev/null
