#!/usr/bin/env bash
# Installs a build into a temporary prefix and uses it as a stranger would: builds the consumer beside this
# script by find_package and by pkg-config, runs both on FILE, and wants the same, non-empty output.
# Usage: run.sh BUILD-FOLDER FILE   Environment: CMAKE, CMAKE_GENERATOR, CXX.
set -euo pipefail

build=$1
file=$2
cmake=${CMAKE:-cmake}
cxx=${CXX:-c++}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix

fail() {
  echo "api: $*" >&2
  exit 1
}

[ -r "$file" ] || fail "cannot read $file"
"$cmake" --install "$build" --prefix "$prefix" >"$scratch/install.log" || fail "the installation failed"

# The installed binary must find the library installed with it, and answer to its three names.
ldd "$prefix/bin/persist" | grep -F "libpersist.so.0 => $prefix/" >"$scratch/ldd.log" ||
  fail "the installed binary does not use the installed library"
for name in rdb-check aof-check; do
  [ "$(readlink "$prefix/bin/$name")" = persist ] || fail "$name is not a symlink to persist"
done

# The installed files must not know the trees they came from.
source_tree=$(cd "$here/../.." && pwd)
pc=$(find "$prefix" -name persist.pc)
[ -n "$pc" ] || fail "persist.pc is not installed"
package=$(find "$prefix" -type d -path '*/cmake/persist')
[ -n "$package" ] || fail "the CMake package is not installed"
if grep -rlF -e "$source_tree/" -e "$build/" "$pc" "$package" "$prefix/include"; then
  fail "the files above name the source or the build tree"
fi

"$cmake" -S "$here" -B "$scratch/by-cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$cxx" \
  >"$scratch/configure.log" || fail "find_package: the configuration failed"
"$cmake" --build "$scratch/by-cmake" >"$scratch/build.log" || {
  cat "$scratch/build.log" >&2
  fail "find_package: the build failed"
}

PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
read -ra flags <<<"$(pkg-config --cflags --libs persist)"
mkdir "$scratch/by-pkg-config"
"$cxx" -std=c++20 "$here/main.cpp" "${flags[@]}" -o "$scratch/by-pkg-config/consumer"
libdir=$(pkg-config --variable=libdir persist)

"$scratch/by-cmake/consumer" "$file" >"$scratch/by-cmake.out"
LD_LIBRARY_PATH=$libdir "$scratch/by-pkg-config/consumer" "$file" >"$scratch/by-pkg-config.out"

[ -s "$scratch/by-cmake.out" ] || fail "the consumer printed nothing"
diff "$scratch/by-cmake.out" "$scratch/by-pkg-config.out" || fail "the two consumers disagree"
cat "$scratch/by-cmake.out"

# What the other consumer writes is read by the first.
"$scratch/by-cmake/writer" "$scratch/made.rdb" >"$scratch/writer.out" || fail "the writer failed"
diff <(echo '1 expiries of hash fields') "$scratch/writer.out" || fail "the writer does not tell what was lost"
diff <(echo 'user:1 hash') <("$scratch/by-cmake/consumer" "$scratch/made.rdb") || fail "what was written cannot be read"
