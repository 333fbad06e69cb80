#!/usr/bin/env bash
# Pictures of the dashboard on its seeded demo, from a real terminal: xterm under Xvfb, at three sizes, dark and light,
# and an animated one.
#
#   assets/screenshots.sh [DIRECTORY]
#
# writes SCREEN-COLUMNSxLINES-BACKGROUND.png and tour.gif. D2MTOP is the program (target/debug/d2mtop without it), SIZES and
# BACKGROUNDS choose; with README=1 those that the README shows are put beside this script. It needs Xvfb, xterm, xdotool, ImageMagick and DejaVu Sans Mono.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
program=${D2MTOP:-$root/target/debug/d2mtop}
out=${1:-$root/target/screenshots}
sizes=${SIZES-80x24 120x40 200x60}
backgrounds=${BACKGROUNDS:-dark light}
# How long the demo runs before the first picture: the charts show two minutes.
warm_up=${WARM_UP:-45}
font_size=${FONT_SIZE:-10}

for tool in Xvfb xterm xdotool import convert; do
    command -v "$tool" >/dev/null || { echo "screenshots.sh needs $tool" >&2; exit 1; }
done
mkdir -p "$out"
home=$(mktemp -d)
jobs_of_ours=()
clean_up() {
    for job in "${jobs_of_ours[@]}"; do kill "$job" 2>/dev/null || true; done
    wait
    rm -rf "$home"
}
trap clean_up EXIT

# Starts a screen of its own and the demo in a terminal on it; sets DISPLAY and window.
open_terminal() {
    local geometry=$1 background=$2 colours number
    case $background in
        dark) colours=(-bg '#14161b' -fg '#d6d9e0') ;;
        light) colours=(-bg '#fbfaf7' -fg '#24262b') ;;
    esac
    exec 9<>"$home/display"
    Xvfb -displayfd 9 -screen 0 2200x1400x24 -nolisten tcp >/dev/null 2>&1 &
    jobs_of_ours+=($!)
    # The number is written once the screen is there.
    until number=$(cat "$home/display") && [ -n "$number" ]; do sleep 0.1; done
    exec 9>&-
    : >"$home/display"
    export DISPLAY=":$number"
    env -u NO_COLOR HOME="$home" XDG_STATE_HOME="$home/$geometry-$background" \
        xterm -fa 'DejaVu Sans Mono' -fs "$font_size" -geometry "$geometry" -b 4 +sb "${colours[@]}" \
        -tn xterm-256color -e env COLORTERM=truecolor "$program" demo --seed 7 --rate 3 --utc &
    jobs_of_ours+=($!)
    window=$(xdotool search --sync --onlyvisible --class xterm | tail -n 1)
    xdotool windowfocus --sync "$window"
}

press() {
    local key
    for key in "$@"; do
        xdotool key --clearmodifiers "$key"
        sleep 0.15
    done
}

picture() {
    sleep 0.4
    import -window "$window" -strip -dither none -colors 64 "PNG8:$out/$1.png"
}

tour() {
    local geometry=$1 background=$2 name
    open_terminal "$geometry" "$background"
    sleep "$warm_up"
    name=$geometry-$background
    picture "dashboard-$name"
    press 4 k k k Return
    picture "detail-$name"
    press Escape Escape 1 j j D
    picture "dialog-$name"
    press Escape question
    picture "help-$name"
    press Escape colon
    picture "palette-$name"
    press Escape 5 Return
    picture "latency-$name"
    press Escape slash k i n d colon t e x t Return
    picture "filter-$name"
    press Escape Escape q
}

# The keys that one needs first, a frame a key.
animation() {
    local frames=$home/frames steps step frame=0
    mkdir -p "$frames"
    open_terminal 84x26 dark
    sleep 20
    steps=(- - 4 k k k Return - - Left - Left - Escape slash k i n d colon t e x t Return - - Escape Escape 1 j D - -
        Escape L - - Escape 5 Return - - Escape -)
    for step in "${steps[@]}"; do
        [ "$step" = - ] || xdotool key --clearmodifiers "$step"
        sleep 0.45
        import -window "$window" -strip "$frames/$(printf %03d $frame).png"
        frame=$((frame + 1))
    done
    convert -delay 70 -loop 0 "$frames"/*.png +dither -colors 20 -layers OptimizeFrame "$out/tour.gif"
}

: >"$home/display"
for geometry in $sizes; do
    for background in $backgrounds; do
        tour "$geometry" "$background"
    done
done
if [ -z "${NO_ANIMATION:-}" ]; then animation; fi
if [ -n "${README:-}" ]; then
    cp "$out/detail-200x60-dark.png" "$root/assets/detail.png"
    cp "$out/dialog-80x24-light.png" "$root/assets/dialog-light.png"
    cp "$out/latency-120x40-dark.png" "$root/assets/latency.png"
    cp "$out/tour.gif" "$root/assets/tour.gif"
fi
