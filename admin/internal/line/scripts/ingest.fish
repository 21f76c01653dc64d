# Completion of ingest for fish. To have it in every shell:
# ingest completion fish > ~/.config/fish/completions/ingest.fish

function __ingest_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    for line in ($program __complete $words "$current" 2>/dev/null)
        switch $line
            case :file :directory
                set -l before (string match -r -- '^--[^=]*=' "$current")
                set -l name (string replace -r -- '^--[^=]*=' '' "$current")
                set -l paths (__fish_complete_path "$name")
                test $line = :directory; and set paths (__fish_complete_directories "$name" '')
                for path in $paths
                    printf '%s\n' "$before$path"
                end
            case '*'
                printf '%s\n' $line
        end
    end
end

# -k keeps the order of the program: newest runs first.
complete -c ingest -f -k -a '(__ingest_complete)'
