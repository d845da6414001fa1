# Whether the edge of this machine answers. keepalived asks every second.
exec 3<>"/dev/tcp/%{health_host}/%{health_port}" || exit 1
printf 'GET /edge/healthz HTTP/1.0\r\n\r\n' >&3
read -r -t 1 status <&3
[[ $status == *" 200 "* ]]
